/** A daemon that has just been started turns off one outlet of one PDU, which pdudaemon's API requests. */
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bundleOf, startService } from '@skolo/bench';
import { startApcRpdu } from '@skolo/simulators';
import { freeTcpPort } from '@skolo/simulators/free-port';
import { control, listening, localcmdline, startPdudaemon } from './pdudaemon.ts';

interface Place {
  dir: string;
  /** Of the PDU. */
  pdu: number;
  /** Where the daemon listens. */
  port: number;
}

interface Running {
  pid: number;
  /** When it was started, as of `performance.now()`. */
  began: number;
  stop(): Promise<void>;
}

/** @param seconds from the start of the process until the outlet was off */
type Measure = (daemon: { pid: number; seconds: number }) => number | Promise<number>;

export async function firstOutlet(
  start: (place: Place) => Promise<Running>,
  measure: Measure,
): Promise<number> {
  const dir = await mkdtemp(join(tmpdir(), 'skolo-first-outlet-'));
  const pdu = await startApcRpdu({ outlets: 8, writeCommunity: 'bench' });
  let daemon: Running | undefined;
  try {
    const port = await freeTcpPort();
    const off = once(pdu.board, 'change');
    daemon = await start({ dir, pdu: pdu.port, port });
    await listening(port);
    const answered = control(port, 'off', 'hostname=pdu-1&port=1');
    await Promise.race([off, answered.then(() => off)]);
    const seconds = (performance.now() - daemon.began) / 1000;
    await answered;
    return await measure({ pid: daemon.pid, seconds });
  } finally {
    await daemon?.stop();
    await pdu.close();
    await rm(dir, { recursive: true, force: true });
  }
}

export async function ours({ dir, pdu, port }: Place): Promise<Running> {
  const rackFile = join(dir, 'rack.yaml');
  await writeFile(join(dir, 'community'), 'bench', { mode: 0o600 });
  await writeFile(
    rackFile,
    `rack: bench
timezone: UTC
network: { subnet: 127.0.0.0/8 }
jumphost: { name: jumphost, address: 127.0.0.1 }
access: { anonymousRead: [127.0.0.0/8] }
logins:
  pdus: { snmp: { version: 2, community: community } }
equipment:
  pdu-1: { model: apc-rpdu, outlets: 8, address: 127.0.0.1, ports: { snmp: ${pdu} }, login: pdus }
machines: {}
services:
  power-cycle-daemon:
    endpoints: { pdudaemon: { port: ${port}, host: 127.0.0.1, allow: [127.0.0.0/8] } }
`,
  );
  // It is built before the process starts.
  await bundleOf('power-cycle-daemon');
  const began = performance.now();
  const server = await startService('power-cycle-daemon', {
    rackFile,
    stateDir: join(dir, 'state'),
    onAllCores: true,
  });
  return { ...server, began };
}

export async function pdudaemon({ dir, pdu, port }: Place): Promise<Running> {
  return await startPdudaemon(dir, port, { 'pdu-1': localcmdline(pdu) });
}
