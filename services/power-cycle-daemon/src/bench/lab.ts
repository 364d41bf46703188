/**
 * A rack for benchmarks: 300 machines on 6 switches and 4 PDUs, all simulated in this process, separate from the daemon's. Switches are
 * controlled over ssh (EdgeSwitch), or all controllers over SNMP, which other software also supports.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Client, createClient, powerCycleDaemonApi } from '@skolo/api';
import { type ServerProcess, startService } from '@skolo/bench';
import { newToken } from '@skolo/common';
import {
  type SimulatedDevice,
  type SimulatedMachine,
  startApcRpdu,
  startEdgeSwitch,
  startPoeSwitch,
  startSimulatedMachine,
} from '@skolo/simulators';

export const switches = 6;
export const perSwitch = 40;
export const pdus = 4;
export const perPdu = 15;

export interface LabOptions {
  /** The switches' protocol. */
  switchModel: 'edgeswitch' | 'snmp-poe';
  /** Off-times; default: those of the models, 5 s for PoE and 10 s for outlets. */
  offSeconds?: number;
  /** More daemon settings, as YAML lines. */
  settings?: string;
}

export interface Lab {
  dir: string;
  switches: SimulatedDevice[];
  pdus: SimulatedDevice[];
  start(): Promise<RunningDaemon>;
  remove(): Promise<void>;
}

export interface RunningDaemon extends ServerProcess {
  url: string;
  metricsUrl: string;
  client: Client<typeof powerCycleDaemonApi>;
}

const password = 'bench';

export async function startLab({
  switchModel,
  offSeconds,
  settings = '',
}: LabOptions): Promise<Lab> {
  const dir = await mkdtemp(join(tmpdir(), 'skolo-power-bench-'));
  const ownSwitches = await Promise.all(
    Array.from({ length: switches }, () =>
      switchModel === 'edgeswitch'
        ? startEdgeSwitch({ ports: 48, username: 'ubnt', password })
        : startPoeSwitch({ ports: 48, detectMs: 200, writeCommunity: password }),
    ),
  );
  const ownPdus = await Promise.all(
    Array.from({ length: pdus }, () => startApcRpdu({ outlets: 24, writeCommunity: password })),
  );
  const off = offSeconds === undefined ? '' : `, offSeconds: ${offSeconds}`;
  const machines: string[] = [];
  const simulated: SimulatedMachine[] = [];
  async function plug(device: SimulatedDevice, name: string, count: number) {
    for (let port = 1; port <= count; port += 1) {
      const machine = await startSimulatedMachine({
        username: 'bot',
        feeds: [[device.board, String(port)]],
        agentPort: false,
      });
      simulated.push(machine);
      const { sshPort } = machine;
      const entry = `kind: rpi, address: 127.0.0.1, port: ${sshPort}, power: ${name}/${port}${off}`;
      machines.push(`  ${name}-m${port}: { ${entry} }`);
    }
  }
  for (const [i, device] of ownSwitches.entries()) await plug(device, `switch-${i + 1}`, perSwitch);
  for (const [i, device] of ownPdus.entries()) await plug(device, `pdu-${i + 1}`, perPdu);

  const kind = switchModel === 'edgeswitch' ? 'ssh' : 'snmp';
  const login = switchModel === 'edgeswitch' ? 'switches' : 'pdus';
  const yaml = `rack: bench
timezone: UTC
network: { subnet: 127.0.0.0/8, domain: lan }
jumphost: { name: jumphost, address: 127.0.0.1 }
access: { tokens: { file: tokens.yaml }, anonymousRead: [127.0.0.0/8] }
logins:
  switches: { username: ubnt, password: password }
  pdus: { snmp: { version: 2, community: password } }
equipment:
${ownSwitches.map(({ port }, i) => `  switch-${i + 1}: { model: ${switchModel}, address: 127.0.0.1, ports: { ${kind}: ${port} }, login: ${login} }`).join('\n')}
${ownPdus.map(({ port }, i) => `  pdu-${i + 1}: { model: apc-rpdu, outlets: 24, address: 127.0.0.1, ports: { snmp: ${port} }, login: pdus }`).join('\n')}
machines:
${machines.join('\n')}
services:
  power-cycle-daemon:
    cooldownSeconds: 0
    maxPerHour: 60
${settings}
`;
  await writeFile(join(dir, 'rack.yaml'), yaml);
  await writeFile(join(dir, 'password'), password, { mode: 0o600 });
  const tokens = join(dir, 'tokens.yaml');
  const token = await newToken(tokens, { name: 'bench', role: 'operate', expiresInDays: 1 });

  return {
    dir,
    switches: ownSwitches,
    pdus: ownPdus,
    async start() {
      const server = await startService('power-cycle-daemon', {
        rackFile: join(dir, 'rack.yaml'),
        stateDir: join(dir, 'state'),
      });
      const url = `http://127.0.0.1:${server.port}`;
      return {
        ...server,
        url,
        metricsUrl: `http://127.0.0.1:${server.metricsPort}`,
        client: createClient(powerCycleDaemonApi, { baseUrl: url, token, timeoutMs: 60_000 }),
      };
    },
    async remove() {
      await Promise.all(simulated.map((machine) => machine.close()));
      await Promise.all([...ownSwitches, ...ownPdus].map((device) => device.close()));
      await rm(dir, { recursive: true, force: true });
    },
  };
}

/** Names of the machines on the given number of switches, and on all PDUs. */
export function machinesOf(switchCount: number): string[] {
  const ofSwitches = Array.from(
    { length: switchCount },
    (_, i) => `switch-${i + 1}-m[1-${perSwitch}]`,
  );
  return [...ofSwitches, ...Array.from({ length: pdus }, (_, i) => `pdu-${i + 1}-m[1-${perPdu}]`)];
}

/** Requests hard cycles of all machines and returns the seconds until the last one finished. Throws if one did not come back. */
export async function cycleAll(
  { url, client }: RunningDaemon,
  machines: string[],
): Promise<number> {
  const started = performance.now();
  const { cycles } = await client.requestCycles({
    body: { machines, reason: 'bench', mode: 'hard' },
  });
  const left = new Set(cycles.map(({ id }) => id));
  const failures: string[] = [];
  const ending = new AbortController();
  const events = await fetch(`${url}/v1/power-cycles/events`, { signal: ending.signal });
  const { cycles: early } = await client.cycles({ query: { state: 'finished', limit: 1000 } });
  for (const { id } of early) left.delete(id);
  let text = '';
  for await (const chunk of events.body ?? []) {
    text += Buffer.from(chunk).toString('utf8');
    const lines = text.split('\n');
    text = lines.pop() ?? '';
    for (const line of lines) {
      const [, id = ''] = /^data: \{"id":"([^"]+)"/.exec(line) ?? [];
      const [, outcome] = /"outcome":"([^"]+)"/.exec(line) ?? [];
      if (outcome === undefined || !left.delete(id)) continue;
      if (outcome !== 'back') failures.push(line.slice(0, 300));
    }
    if (left.size === 0) break;
  }
  const seconds = (performance.now() - started) / 1000;
  ending.abort();
  if (failures.length > 0)
    throw new Error(`${failures.length} not back, the first: ${failures[0]}`);
  return seconds;
}
