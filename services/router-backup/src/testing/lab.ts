/** A router backup for a test: a rack on loopback addresses, with devices in memory unless a test brings its own. */
import { randomUUID } from 'node:crypto';
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type BackupEquipment,
  type BackupRun,
  type Client,
  createClient,
  routerBackupApi,
} from '@skolo/api';
import { tempDir } from '@skolo/base/testing';
import { type Clock, createLogger, newToken, startService } from '@skolo/common';
import { expect, onTestFinished } from 'vitest';
import { createRouterBackup, type RouterBackupDeps } from '../service.ts';
import { Texts } from '../texts.ts';
import { FakeDevices } from './fake-device.ts';

/** One thread for all labs, because it takes a quarter of a lab's time to start; texts.test.ts ends one. */
const thread = new Texts({ ms: 900_000 });

/** What it keeps for one lab is not shown by another, whose masks differ. */
class SharedTexts extends Texts {
  private readonly lab = randomUUID();

  override shown: Texts['shown'] = (name, { key, by }, prepare) =>
    thread.shown(name, { key: key && `${this.lab} ${key}`, by }, prepare);

  override run: Texts['run'] = (name, input) => thread.run(name, input);
}

export interface LabOptions extends Pick<RouterBackupDeps, 'retryPauses' | 'power'> {
  /** Devices in rack.yaml, from `equipment:` on. */
  yaml?: string;
  /** The service's settings, in block style, indented by four; may contain the lab's directory. */
  settings?: string | ((dir: string) => string);
  /** The power-cycle daemon's URL; default: nothing listens. */
  powerUrl?: string;
  clock?: Clock;
  devices?: FakeDevices;
  /** False: the product's models, with devices that the test started. */
  isFake?: boolean;
  prepare?: (stateDir: string) => Promise<void>;
  /** Of a stopped lab, which this one continues. */
  previous?: Lab;
}

export interface Lab {
  dir: string;
  stateDir: string;
  url: string;
  metricsUrl: string;
  devices: FakeDevices;
  /** Tokens of an admin, and of an operator who may only request backups. */
  admin: Client<typeof routerBackupApi>;
  operator: Client<typeof routerBackupApi>;
  adminToken: string;
  operatorToken: string;
  logged: () => Record<string, unknown>[];
  edit: (yaml: string, settings?: string) => Promise<void>;
  /** A manual run, once finished. */
  run: (...devices: string[]) => Promise<BackupRun>;
  finished: (id: string) => Promise<BackupRun>;
  device: (name: string) => Promise<BackupEquipment>;
  /** All runs have ended. */
  idle: () => Promise<void>;
  metrics: () => Promise<string>;
  degraded: () => Promise<string>;
  stop: () => Promise<void>;
}

export const threeDevices = `equipment:
  router: { model: frr, address: 127.0.2.1 }
  switch-1: { model: frr, address: 127.0.2.2 }
  switch-2: { model: frr, address: 127.0.2.3 }
`;

function rackYaml({ yaml, settings, powerUrl }: Record<'yaml' | 'settings' | 'powerUrl', string>) {
  return `rack: rack1
timezone: Europe/Berlin
network: { subnet: 127.0.0.0/8, domain: lan }
jumphost: { name: jumphost-rack1, address: 127.0.0.1 }
access: { tokens: { file: tokens.yaml }, anonymousRead: [127.0.0.0/8] }
${yaml}
services:
  power-cycle-daemon: { url: "${powerUrl}" }
  router-backup:
    jitterSeconds: 0
    stopWithin: 20
${settings}
`;
}

async function startedService(
  { clock, devices, ...options }: LabOptions & { devices: FakeDevices },
  rackFile: string,
  stateDir: string,
  lines: Record<string, unknown>[],
) {
  return await startService(
    createRouterBackup({
      ...(options.isFake !== false && { models: devices.models('frr', 'cisco-ios') }),
      retryPauses: options.retryPauses ?? { byHand: [], byItself: [10, 10] },
      ...(options.power && { power: options.power }),
      openEveryMs: 50,
      lookEveryMs: 50,
      texts: new SharedTexts(),
    }),
    {
      rackFile,
      stateDir,
      port: 0,
      metricsPort: 0,
      host: '127.0.0.1',
      log: createLogger({
        service: 'router-backup',
        level: 'debug',
        destination: { write: (line: string) => void lines.push(JSON.parse(line)) },
      }),
      ...(clock && { clock }),
    },
  );
}

export async function startLab(options: LabOptions = {}): Promise<Lab> {
  const { previous, yaml = threeDevices } = options;
  const { powerUrl = 'http://127.0.0.1:9', settings: given = '' } = options;
  const devices = options.devices ?? previous?.devices ?? new FakeDevices();
  const dir = previous?.dir ?? (await tempDir());
  const settings = typeof given === 'string' ? given : given(dir);
  const stateDir = join(dir, 'state');
  await mkdir(stateDir, { recursive: true });
  await options.prepare?.(stateDir);
  const rackFile = join(dir, 'rack.yaml');
  const edit = async (text: string, changed = settings) => {
    await writeFile(join(dir, 'new.yaml'), rackYaml({ yaml: text, settings: changed, powerUrl }));
    await rename(join(dir, 'new.yaml'), rackFile);
  };
  await edit(yaml);
  const tokens = join(dir, 'tokens.yaml');
  const token = (name: string, role: 'admin' | 'operate') =>
    newToken(tokens, { name, role, expiresInDays: 3650 });
  const adminToken = previous?.adminToken ?? (await token('ann', 'admin'));
  const operatorToken = previous?.operatorToken ?? (await token('otto', 'operate'));
  const lines: Record<string, unknown>[] = [];
  const service = await startedService({ ...options, devices }, rackFile, stateDir, lines);
  const url = `http://127.0.0.1:${service.port}`;
  const metricsUrl = `http://127.0.0.1:${service.metricsPort}`;
  const client = (bearer: string) =>
    createClient(routerBackupApi, { baseUrl: url, token: bearer, timeoutMs: 900_000 });
  const admin = client(adminToken);
  const stop = () => service.stop();
  onTestFinished(stop);

  async function finished(id: string): Promise<BackupRun> {
    await expect
      .poll(async () => (await admin.backup({ params: { id } })).finishedAt)
      .toBeDefined();
    return await admin.backup({ params: { id } });
  }

  return {
    dir,
    stateDir,
    url,
    metricsUrl,
    devices,
    admin,
    operator: client(operatorToken),
    adminToken,
    operatorToken,
    logged: () => lines,
    edit,
    finished,
    async run(...names) {
      const body = names.length === 0 ? {} : { equipment: names };
      const { id } = await admin.requestBackup({ body });
      return await finished(id);
    },
    device: (name) => admin.equipment({ params: { equipment: name } }),
    async idle() {
      const open = async () => {
        const { backups } = await admin.backups({ query: {} });
        return backups.filter(({ finishedAt }) => finishedAt === undefined).length;
      };
      await expect.poll(open).toBe(0);
    },
    metrics: async () => (await fetch(`${metricsUrl}/metrics`)).text(),
    degraded: async () => (await fetch(`${metricsUrl}/readyz`)).text(),
    stop,
  };
}

/** Its first backups have ended. */
export async function startIdleLab(options: LabOptions = {}): Promise<Lab> {
  const lab = await startLab(options);
  await lab.idle();
  return lab;
}
