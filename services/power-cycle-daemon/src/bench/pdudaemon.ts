/** The same rack cycled by pdudaemon (Debian's package). It has no driver for PoE over SNMP, so it runs snmpset for each outlet. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { NotRun } from '@skolo/bench';
import { peer, type SimulatedDevice } from '@skolo/simulators';
import { type Lab, perPdu, perSwitch } from './lab.ts';

const poeAdmin = '1.3.6.1.2.1.105.1.1.1.3.1';
const apcControl = '1.3.6.1.4.1.318.1.1.12.3.3.1.1.4';

/** Seconds until all requests have been answered. */
export async function cycleAllWithPdudaemon(
  { dir, switches, pdus }: Lab,
  { port, delay }: { port: number; delay: number },
): Promise<number> {
  const named = (devices: readonly SimulatedDevice[], kind: string) =>
    devices.map((device, i) => [`${kind}-${i + 1}`, device.port] as const);
  const entries = [
    ...named(switches, 'switch').map(([name, at]) => [name, localcmdline(at, poeAdmin)]),
    ...named(pdus, 'pdu').map(([name, at]) => [name, localcmdline(at, apcControl)]),
  ];
  const daemon = await startPdudaemon(dir, port, Object.fromEntries(entries));
  try {
    await listening(port);
    const reboot = (hostname: string, outlet: number) =>
      control(port, 'reboot', `hostname=${hostname}&port=${outlet}&delay=${delay}`);
    const started = performance.now();
    await Promise.all([
      ...switches.flatMap((_, i) => outlets(perSwitch).map((n) => reboot(`switch-${i + 1}`, n))),
      ...pdus.flatMap((_, i) => outlets(perPdu).map((n) => reboot(`pdu-${i + 1}`, n))),
    ]);
    return (performance.now() - started) / 1000;
  } finally {
    await daemon.stop();
  }
}

/** A device that snmpset switches. @throws NotRun */
export function localcmdline(devicePort: number, oid = apcControl) {
  const snmpget = peer('snmp-tools');
  if (snmpget === undefined) throw new NotRun('snmp is not installed');
  const snmpset = snmpget.replace(/snmpget$/, 'snmpset');
  const set = (value: number) =>
    `${snmpset} -v2c -c bench -Oqv 127.0.0.1:${devicePort} ${oid}.%s i ${value}`;
  return { driver: 'localcmdline', cmd_on: set(1), cmd_off: set(2) };
}

/** @throws NotRun */
export async function startPdudaemon(dir: string, port: number, pdus: Record<string, object>) {
  const program = peer('pdudaemon');
  if (program === undefined) throw new NotRun('pdudaemon is not installed');
  const daemon = { hostname: '127.0.0.1', port, dbname: '', listener: 'http' };
  const conf = join(dir, 'pdudaemon.conf');
  await writeFile(conf, JSON.stringify({ daemon, pdus }));
  const began = performance.now();
  const child = spawn(program, [`--conf=${conf}`, '--listener', 'http'], { stdio: 'ignore' });
  const ended = once(child, 'exit');
  if (child.pid === undefined) throw new Error('pdudaemon does not start');
  return {
    pid: child.pid,
    began,
    async stop() {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

function outlets(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i + 1);
}

/** A request to pdudaemon's API, which ours has too. */
export async function control(port: number, command: string, query: string): Promise<void> {
  const answer = await fetch(`http://127.0.0.1:${port}/power/control/${command}?${query}`);
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${command} ${query}: ${answer.status} ${text}`);
}

export async function listening(port: number): Promise<void> {
  for (let attempt = 0; attempt < 2000; attempt += 1) {
    const isOpen = await new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1');
      socket.on('connect', () => resolve(true)).on('error', () => resolve(false));
      socket.on('connect', () => socket.destroy());
    });
    if (isOpen) return;
    await sleep(10);
  }
  throw new Error(`nothing listens on port ${port}`);
}
