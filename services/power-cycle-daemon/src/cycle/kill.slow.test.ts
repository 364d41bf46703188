/**
 * `kill -9` of the daemon while it cycles real (simulated) devices over HTTP: at every step, and at random moments. Afterwards every outlet is on, every cycle is finished or reported failed, and nothing was done twice.
 */

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { PowerCycle } from '@skolo/api';
import { countRounds, seeded } from '@skolo/base/durable/fault-injection';
import { cleanUps, tempDir, testSeed } from '@skolo/base/testing';
import { newToken } from '@skolo/common';
import { type SimulatedDevice, startHttpRelay, startShellyGen2 } from '@skolo/simulators';
import { describe, expect, it } from 'vitest';
import { rackYaml, testAgentKey } from '../testing/daemon.ts';
import { type DaemonProcess, startDaemonProcess } from '../testing/daemon-process.ts';
import { waitUntil } from '../testing/wait-until.ts';

/** Few, as the service takes long to start. */
const kills = countRounds(1);
/** From the request to the outcome, undisturbed; a kill comes within it. */
const usualMs = 2500;
const machines = ['step-[1-4]', 'native-[0-3]', 'both'];

interface Lab {
  dir: string;
  token: string;
  devices: SimulatedDevice[];
  /** How often each outlet went off. */
  offs: Map<string, number>;
  /** Ids of all cycles so far. */
  cycles: Set<unknown>;
  kills: number;
}

const atTheEnd = cleanUps();

async function startLab(): Promise<Lab> {
  const dir = await tempDir(atTheEnd);
  const relay = await startHttpRelay({ outlets: 8 });
  const shelly = await startShellyGen2({ outlets: 4 });
  const devices = [relay, shelly];
  const offs = new Map<string, number>();
  for (const device of devices) {
    atTheEnd(() => device.close());
    device.board.on('change', ({ outlet, on }) => {
      const key = `${device.model}/${outlet}`;
      if (!on) offs.set(key, (offs.get(key) ?? 0) + 1);
    });
  }
  const value = `'/relay/{outlet}/value'`;
  const yaml = `equipment:
  relay:
    model: http-switch
    address: 127.0.0.1
    ports: { http: ${relay.port} }
    outlets: 8
    on: { method: PUT, path: ${value}, body: '1' }
    off: { method: PUT, path: ${value}, body: '0' }
    read: { path: ${value}, on: '^1$', off: '^0$' }
  shelly: { model: shelly-gen2, outlets: 4, address: 127.0.0.1, ports: { http: ${shelly.port} } }
machines:
  step-[1-4]: { kind: host, power: relay/[1-4], offSeconds: 0.5 }
  native-[0-3]: { kind: host, power: shelly/[0-3], offSeconds: 1 }
  both: { kind: host, power: [relay/5, relay/6], offSeconds: 0.5 }
`;
  await writeFile(join(dir, 'agent-key'), testAgentKey.reveal(), { mode: 0o600 });
  await writeFile(join(dir, 'rack.yaml'), rackYaml(yaml, '    atOncePerController: 3'));
  const token = await newToken(join(dir, 'tokens.yaml'), {
    name: 'ann',
    role: 'operate',
    expiresInDays: 1,
  });
  return { dir, token, devices, offs, cycles: new Set(), kills: 0 };
}

function ask({ client }: DaemonProcess, key: string) {
  const body = { machines, reason: 'test', mode: 'hard' as const };
  return client.requestCycles({ body, headers: { 'idempotency-key': key } });
}

async function allFinished({ client }: DaemonProcess, ids: string[]): Promise<PowerCycle[]> {
  return waitUntil(async () => {
    const { cycles } = await client.cycles();
    const own = cycles.filter(({ id }) => ids.includes(id));
    return own.length === ids.length && own.every(({ outcome }) => outcome) ? own : undefined;
  });
}

/** Kills it, starts it again, repeats the request, and sees that all promises were kept. @returns the one that runs then */
async function surviveKill(
  lab: Lab,
  daemon: DaemonProcess,
  key: string,
  killAt: (daemon: DaemonProcess) => Promise<void>,
): Promise<DaemonProcess> {
  lab.offs.clear();
  // The answer may be lost; the request, once taken, is not.
  const asked = ask(daemon, key).catch(() => undefined);
  await killAt(daemon);
  await daemon.end('SIGKILL');
  const before = await asked;

  const next = await startDaemonProcess(lab.dir, lab.token, atTheEnd);
  const { cycles } = await ask(next, key);
  const finished = await allFinished(
    next,
    cycles.map(({ id }) => id),
  );

  if (before !== undefined) expect(cycles).toEqual(before.cycles);
  for (const { board, model } of lab.devices) {
    expect(
      board.names().filter((outlet) => !board.isOn(outlet)),
      `${model}, off`,
    ).toEqual([]);
  }
  for (const { outcome, failedStep } of finished) {
    expect(['on', 'unproven', 'failed']).toContain(outcome);
    // Only what was cut before it was seen off may be reported failed.
    if (outcome === 'failed') expect(failedStep).toBe('turn-off');
  }
  for (const [outlet, times] of lab.offs) expect(times, outlet).toBe(1);
  for (const { id } of cycles) lab.cycles.add(id);
  lab.kills += 1;
  return next;
}

/** The daemon that has survived all kills so far; none where it did not. */
let survivor: { lab: Lab; daemon: DaemonProcess } | undefined;

async function survive(key: string, killAt: (daemon: DaemonProcess, lab: Lab) => Promise<void>) {
  const { lab, daemon } = survivor ?? (await begin());
  survivor = undefined;
  survivor = { lab, daemon: await surviveKill(lab, daemon, key, (one) => killAt(one, lab)) };
  // No machine may be cycled more than 60 times in an hour.
  if (lab.kills === 50) await end();
}

async function begin() {
  const lab = await startLab();
  return { lab, daemon: await startDaemonProcess(lab.dir, lab.token, atTheEnd) };
}

async function end() {
  if (survivor) expect(await survivor.daemon.end('SIGTERM')).toBe(0);
  survivor = undefined;
}

describe('kill -9', () => {
  const steps = ['queued', 'contact', 'ready', 'turn-off', 'off', 'turn-on', 'finished'];

  it.each(steps)('in the step %s leaves no outlet off, and does nothing twice', async (phase) => {
    await survive(phase, (daemon, { cycles }) => {
      return new Promise((resolve) => {
        if (phase === 'queued') resolve();
        daemon.onLine((line) => {
          if (line.msg === 'cycle' && line.phase === phase && !cycles.has(line.cycle)) resolve();
        });
      });
    });
  });

  it(`at random, ${kills} times`, async () => {
    console.log(`kill -9 of the power-cycle daemon: ${kills} kills`);
    const random = seeded(testSeed());

    for (let kill = 0; kill < kills; kill += 1) {
      // The moment of the kill is what the test is about.
      await survive(`kill ${kill}`, () => sleep(random() * usualMs));
    }
    await end();
  });
});
