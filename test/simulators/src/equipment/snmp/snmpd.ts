/**
 * Debian's snmpd (net-snmp 5.9) in front of a model's tables, as an agent that is independent of ours: it does all of the
 * protocol, and asks us for values only, by `pass_persist` (snmpd.conf(5)).
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freeUdpPort } from '../../free-port.ts';
import { peer } from '../../peer.ts';
import { Process } from '../../process.ts';
import { startAnsweredCommand } from '../answered-command.ts';
import type { Received, SimulatedDevice } from '../device.ts';
import type { SnmpModel, SnmpOptions } from './agent.ts';
import { answerValues } from './pass-persist.ts';
import type { AuthProtocol } from './usm.ts';

/**
 * Starts it on 127.0.0.1, or gives undefined where it is not installed. It has no faults, and `told` has only what changes
 * something.
 */
export async function startSnmpd(
  model: SnmpModel,
  options: SnmpOptions = {},
): Promise<SimulatedDevice | undefined> {
  const path = peer('snmpd');
  if (path === undefined) return undefined;
  const dir = await mkdtemp(join(tmpdir(), 'skolo-snmpd-'));
  const received: Received[] = [];
  const answered = await startAnsweredCommand(dir, (call) => answerValues(model, received, call));
  const port = options.port ?? (await freeUdpPort());
  await writeFile(join(dir, 'agent.conf'), configuration(model, options, answered.command, port));
  let running: Process | undefined;
  async function close() {
    model.stop();
    await running?.stop();
    await answered.close();
    await rm(dir, { recursive: true, force: true });
  }
  try {
    running = await startProcess(path, dir);
  } catch (error) {
    await close();
    throw error;
  }
  return {
    model: model.model,
    host: '127.0.0.1',
    port,
    board: model.board,
    received,
    faults: model.faults,
    sessions: { now: 0, most: 0, opened: 0 },
    async reboot() {
      await running?.stop();
      model.restart();
      running = await startProcess(path, dir);
    },
    close,
  };
}

const protocolNames: Readonly<Record<AuthProtocol, string>> = {
  md5: 'MD5',
  sha: 'SHA',
  sha224: 'SHA-224',
  sha256: 'SHA-256',
  sha384: 'SHA-384',
  sha512: 'SHA-512',
};

/** Where the tables of PowerNet-MIB and POWER-ETHERNET-MIB are. */
const subtrees = ['1.3.6.1.4.1.318', '1.3.6.1.2.1.105'];

/** The address is given here only: on the command line, too, it would be bound twice. */
function configuration(
  { objectId, subtrees: more = [] }: SnmpModel,
  { readCommunity = 'public', writeCommunity = 'private', users = [] }: SnmpOptions,
  command: string,
  port: number,
): string {
  const lines = [
    `agentAddress udp:127.0.0.1:${port}`,
    `rocommunity ${readCommunity} 127.0.0.1`,
    `rwcommunity ${writeCommunity} 127.0.0.1`,
    `sysobjectid .${objectId}`,
    ...users.flatMap(({ name, access, authProtocol, authKey, privKey }) => [
      `createUser ${name} ${protocolNames[authProtocol]} "${authKey}"${privKey ? ` AES "${privKey}"` : ''}`,
      `${access === 'write' ? 'rwuser' : 'rouser'} ${name} ${privKey ? 'priv' : 'auth'}`,
    ]),
    // snmpd has tables of its own for the interfaces of this computer; ours come first.
    ...[...new Set([...subtrees, ...more])].map(
      (subtree) => `pass_persist -p 100 .${subtree} ${command} ${subtree}`,
    ),
  ];
  return `${lines.join('\n')}\n`;
}

async function startProcess(path: string, dir: string): Promise<Process> {
  const env = { ...process.env, SNMP_PERSISTENT_DIR: dir, MIBS: '' };
  const agent = new Process(path, ['-f', '-Le', '-C', '-c', join(dir, 'agent.conf')], env);
  // Printed once the sockets are open.
  await agent.until('to start', async () => agent.output.includes('NET-SNMP version'));
  return agent;
}
