/** What the tests of this folder share: net-snmp's command-line tools and fence_apc_snmp, as independent clients. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { onTestFinished, type TestContext } from 'vitest';
import { peer } from '../../peer.ts';
import type { SimulatedDevice } from '../device.ts';
import type { SnmpUser } from './usm.ts';

export const users = [
  user('sha', 'sha'),
  user('sha256', 'sha256'),
  user('sha512', 'sha512'),
  { name: 'signs-only', access: 'write', authProtocol: 'sha', authKey: 'authauth1' },
  { ...user('reader', 'sha'), access: 'read' },
] satisfies SnmpUser[];

function user(name: string, authProtocol: SnmpUser['authProtocol']): SnmpUser {
  return { name, access: 'write', authProtocol, authKey: 'authauth1', privKey: 'privpriv1' };
}

/** Options of net-snmp's tools for each way to sign in. */
export const signIn = {
  v1: ['-v1', '-c', 'private'],
  v2c: ['-v2c', '-c', 'private'],
  readOnly: ['-v2c', '-c', 'public'],
  stranger: ['-v2c', '-c', 'guessed', '-t1'],
  sha: version3('sha', 'SHA'),
  sha256: version3('sha256', 'SHA-256'),
  sha512: version3('sha512', 'SHA-512'),
  reader: version3('reader', 'SHA'),
  nobody: version3('nobody', 'SHA'),
  wrongAuthKey: version3('sha', 'SHA', 'wrongwrong'),
  wrongPrivKey: version3('sha', 'SHA', 'authauth1', 'wrongwrong'),
  signsOnly: ['-v3', '-l', 'authNoPriv', '-u', 'signs-only', '-a', 'SHA', '-A', 'authauth1'],
} as const;

function version3(name: string, protocol: string, auth = 'authauth1', priv = 'privpriv1') {
  const security = ['-a', protocol, '-A', auth, '-x', 'AES', '-X', priv];
  return ['-v3', '-l', 'authPriv', '-u', name, ...security];
}

interface Ran {
  status: number;
  stdout: string;
  stderr: string;
}

/** Runs snmpget, snmpset, snmpwalk …; skips the test where they are not installed. */
export async function runTool(
  context: TestContext,
  device: SimulatedDevice,
  [tool, ...args]: readonly string[],
  how: readonly string[] = signIn.v2c,
): Promise<Ran> {
  const path = peer('snmp-tools');
  if (path === undefined || tool === undefined) return context.skip('snmp is not installed');
  const dir = await mkdtemp(join(tmpdir(), 'skolo-snmp-'));
  onTestFinished(() => rm(dir, { recursive: true }));
  const env = { PATH: process.env.PATH, MIBS: '', SNMPCONFPATH: dir, SNMP_PERSISTENT_DIR: dir };
  const command = ['-t600', '-r0', ...how, '-On', `${device.host}:${device.port}`, ...args];
  return await run(join(dirname(path), tool), command, env);
}

/** Options of fence agents: they give up after three seconds, which a busy computer may take. */
export const patientFence = ['power', 'shell', 'login'].map((what) => `--${what}-timeout=600`);

/** Runs fence_apc_snmp; skips the test where it is not installed. */
export async function runFence(
  context: TestContext,
  { host, port }: SimulatedDevice,
  ...args: readonly string[]
): Promise<Ran> {
  const path = peer('fence-agents');
  if (path === undefined) return context.skip('fence-agents is not installed');
  return await run(path, ['-a', host, '-u', String(port), ...patientFence, ...args], {
    PATH: process.env.PATH,
  });
}

function run(path: string, args: readonly string[], env: NodeJS.ProcessEnv): Promise<Ran> {
  return new Promise((resolve) => {
    execFile(path, args, { env }, (error, stdout, stderr) => {
      const status = error === null ? 0 : typeof error.code === 'number' ? error.code : -1;
      resolve({ status, stdout, stderr });
    });
  });
}
