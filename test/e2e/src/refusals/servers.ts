/** All HTTP servers of skolo in this process, over one rack.yaml. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { agentPublicKey, newAgentKey } from '@skolo/base/secrets';
import { type AtTheEnd, tempDir } from '@skolo/base/testing';
import { newToken, type ServiceDefinition, startService } from '@skolo/common';
import { fakeClock } from '@skolo/common/testing';
import { freeTcpPort } from '@skolo/simulators/free-port';
import { startWatchMetrics } from '../../../../packages/cli/src/commands/alerts/watch-metrics.ts';
import { createAlertToPubsub } from '../../../../services/alert-to-pubsub/src/service.ts';
import { ownKey } from '../../../../services/machine-state/src/enrolment/own-key.ts';
import { createMachineState } from '../../../../services/machine-state/src/service.ts';
import { createMetadataServer } from '../../../../services/metadata-server/src/service.ts';
import { createPowerCycleDaemon } from '../../../../services/power-cycle-daemon/src/service.ts';
import { createRouterBackup } from '../../../../services/router-backup/src/service.ts';
import { startAgentHere } from '../../../../services/swarming-client/src/testing/agent-here.ts';
import { type Asked, send, signed, type Target } from './send.ts';

export const reader = '127.0.5.1';
export const machine = '127.0.1.1';

const rackYaml = (ports: { enrolment: number; pdudaemon: number }, publicKey: string) => `
rack: rack4
network: { subnet: 127.0.0.0/8, domain: lan }
jumphost: { name: jumphost, address: 127.0.0.1 }
access:
  tokens: { file: tokens.yaml }
  anonymousRead: [127.0.5.0/24]
  agents: { privateKey: agent-key, publicKey: ${publicKey} }
identities:
  bots: { project: p, email: bots@p.example, credentials: { fixed: token } }
equipment:
  pdu-1: { model: apc-rpdu, address: 127.0.2.2, login: any }
logins:
  any: { username: any, snmp: { version: 2, community: token } }
machines:
  rpi-[1-250]: { kind: rpi, address: '127.0.1.[1-250]', identity: bots }
services:
  machine-state: { enrolment: { port: ${ports.enrolment} } }
  metadata-server: { rateLimit: { perSecond: 1, burst: 100 } }
  alert-to-pubsub: { pubsub: false, sinks: [{ name: away, kind: http, url: 'http://127.0.0.1:9' }], maxBodyBytes: 65536, auth: { bearer: { file: token } } }
  power-cycle-daemon:
    url: http://127.0.0.1:9
    endpoints: { pdudaemon: { port: ${ports.pdudaemon}, host: 127.0.0.1, allow: [127.0.0.0/8] } }
`;

export type Servers = Awaited<ReturnType<typeof startServers>>;
export type ServerName = keyof Servers['at'];
export type Sender = keyof Servers['senders'];

/** Their services end with `atTheEnd`. */
export async function startServers(atTheEnd: AtTheEnd) {
  const dir = await tempDir(atTheEnd);
  const key = newAgentKey();
  const ports = { enrolment: await freeTcpPort(), pdudaemon: await freeTcpPort() };
  await writeFile(join(dir, 'rack.yaml'), rackYaml(ports, agentPublicKey(key)));
  await writeFile(join(dir, 'agent-key'), key.reveal(), { mode: 0o600 });
  await writeFile(join(dir, 'token'), 'token', { mode: 0o600 });
  const tokens = await newTokens(join(dir, 'tokens.yaml'));
  const services = await startServices(dir, atTheEnd);
  const agent = await startAgentHere({
    metadataUrl: 'http://127.0.0.1:9',
    stateDir: await tempDir(atTheEnd),
    rackFile: join(dir, 'rack.yaml'),
  });
  atTheEnd(() => agent.stop({ isHurried: true }));
  const commands = await startCommands(atTheEnd);
  const at = {
    ...services,
    'metadata API': { port: services['metadata-server'].metricsPort },
    'metrics port': { port: services['router-backup'].metricsPort },
    enrolment: {
      port: ports.enrolment,
      tls: { ...(await ownKey(dir)), rejectUnauthorized: false },
    },
    pdudaemon: { port: ports.pdudaemon },
    'agent status': agent,
    'agent hooks': { port: agent.hookPort },
    'agent metrics': { port: agent.metricsPort },
    'watch metrics': commands.watch,
  } satisfies Record<string, Target>;
  const page = (role: 'admin' | 'view') => {
    const token = tokens[role].authorization.replace('Bearer ', '');
    return sessionAt(services['machine-state'], 'http://127.0.0.1', { token });
  };
  const sessions = {
    page: await page('admin'),
    'page of a viewer': await page('view'),
  };
  const signers = {
    services: { key, rack: 'rack4', machine: 'rpi-1' },
    agent: { key: newAgentKey(), rack: 'rack4', machine: 'rpi-1', showsKey: true },
  };
  const always = (headers: Record<string, string>) => async () => headers;
  const senders = {
    ...mapped({ ...tokens, ...sessions }, always),
    ...mapped(signers, (by) => (target: Target, asked: Asked) => signed(target, asked, by)),
  };
  return { at, senders, signers };
}

async function newTokens(file: string) {
  const bearer = async (name: string, role: 'view' | 'admin') => ({
    authorization: `Bearer ${await newToken(file, { name, role, expiresInDays: 1 })}`,
  });
  return {
    admin: await bearer('ann', 'admin'),
    view: await bearer('bob', 'view'),
    greedy: await bearer('eve', 'view'),
    alerts: { authorization: 'Bearer token' },
  };
}

async function startServices(dir: string, atTheEnd: AtTheEnd) {
  // Limits do not recover during the test.
  const clock = fakeClock(Date.now());
  async function start(definition: ServiceDefinition) {
    const stateDir = join(dir, definition.name);
    await mkdir(stateDir);
    const ports = { port: 0, metricsPort: 0, host: '127.0.0.1' };
    const rackFile = join(dir, 'rack.yaml');
    const options = { rackFile, stateDir, ...ports, logLevel: 'silent', clock } as const;
    const service = await startService(definition, options);
    atTheEnd(() => service.stop());
    return service;
  }
  return {
    'machine-state': await start(createMachineState()),
    'router-backup': await start(createRouterBackup()),
    'alert-to-pubsub': await start(createAlertToPubsub()),
    'power-cycle-daemon': await start(createPowerCycleDaemon()),
    'metadata-server': await start(createMetadataServer()),
  };
}

async function startCommands(atTheEnd: AtTheEnd) {
  const report = { locations: [], unexpected: [] };
  const watch = await startWatchMetrics(0, () => ({ report, blindWhy: undefined, unsent: 0 }));
  atTheEnd(() => watch.close());
  return { watch };
}

/** The headers of a page that has signed in. */
async function sessionAt(target: Target, origin: string, body: object) {
  const { host } = new URL(origin);
  const { head } = await send(target, {
    method: 'POST',
    path: '/v1/session',
    headers: { host, 'content-type': 'application/json' },
    body: JSON.stringify(body),
    from: '127.0.0.1',
  });
  const cookie = /^set-cookie: ([^;]+)/im.exec(head)?.[1] ?? '';
  return { host, origin, cookie };
}

export function mapped<K extends string, V, W>(given: Record<K, V>, make: (value: V) => W) {
  return Object.fromEntries(
    Object.entries<V>(given).map(([name, value]) => [name, make(value)]),
  ) as Record<K, W>;
}
