/** The same rack cycled by pdudaemon (Debian's package). It has no driver for PoE over SNMP, so it runs snmpset for each outlet. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { NotRun } from '@skolo/bench';
import { peer } from '@skolo/simulators';
import { type Lab, perPdu, perSwitch } from './lab.ts';

const poeAdmin = '1.3.6.1.2.1.105.1.1.1.3.1';
const apcControl = '1.3.6.1.4.1.318.1.1.12.3.3.1.1.4';

/** Seconds until all requests have been answered. */
export async function cycleAllWithPdudaemon(
  { dir, switches, pdus }: Lab,
  { port, delay }: { port: number; delay: number },
): Promise<number> {
  const program = peer('pdudaemon');
  const snmpget = peer('snmp-tools');
  if (program === undefined || snmpget === undefined) {
    throw new NotRun('pdudaemon and snmp are not installed');
  }
  const snmpset = snmpget.replace(/snmpget$/, 'snmpset');
  const set = (devicePort: number, oid: string, value: number) =>
    `${snmpset} -v2c -c bench -Oqv 127.0.0.1:${devicePort} ${oid}.%s i ${value}`;
  const entries = [
    ...switches.map((device, i) => [`switch-${i + 1}`, device.port, poeAdmin] as const),
    ...pdus.map((device, i) => [`pdu-${i + 1}`, device.port, apcControl] as const),
  ].map(([name, devicePort, oid]) => [
    name,
    { driver: 'localcmdline', cmd_on: set(devicePort, oid, 1), cmd_off: set(devicePort, oid, 2) },
  ]);
  const config = {
    daemon: { hostname: '127.0.0.1', port, dbname: '', listener: 'http' },
    pdus: Object.fromEntries(entries),
  };
  const conf = join(dir, 'pdudaemon.conf');
  await writeFile(conf, JSON.stringify(config));
  const child = spawn(program, [`--conf=${conf}`, '--listener', 'http'], { stdio: 'ignore' });
  try {
    await listening(port, child);
    const started = performance.now();
    await Promise.all([
      ...switches.flatMap((_, i) =>
        outlets(perSwitch).map((n) => reboot(port, `switch-${i + 1}`, n, delay)),
      ),
      ...pdus.flatMap((_, i) => outlets(perPdu).map((n) => reboot(port, `pdu-${i + 1}`, n, delay))),
    ]);
    return (performance.now() - started) / 1000;
  } finally {
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  }
}

function outlets(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i + 1);
}

async function reboot(
  port: number,
  hostname: string,
  outlet: number,
  delay: number,
): Promise<void> {
  const query = `hostname=${hostname}&port=${outlet}&delay=${delay}`;
  const answer = await fetch(`http://127.0.0.1:${port}/power/control/reboot?${query}`);
  const text = await answer.text();
  if (!answer.ok) throw new Error(`pdudaemon: ${answer.status} ${text}`);
}

async function listening(port: number, child: ChildProcess): Promise<void> {
  for (let attempt = 0; attempt < 100; attempt += 1) {
    if (child.exitCode !== null) throw new Error('pdudaemon ended by itself');
    const isOpen = await new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1');
      socket.on('connect', () => resolve(true)).on('error', () => resolve(false));
      socket.on('connect', () => socket.destroy());
    });
    if (isOpen) return;
    await sleep(100);
  }
  throw new Error('pdudaemon does not listen');
}
