/**
 * RANCID as a client of the tests: backup software of other people, unmodified, reads the configuration of a device and
 * says whether it was all of it. It refuses to work as root, so that it runs as `nobody` then.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmod,
  chown,
  copyFile,
  mkdtemp,
  readdir,
  readFile,
  rm,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { TestContext } from 'vitest';
import { lacks, peer } from '../../../peer.ts';

interface RancidLogin {
  username: string;
  password?: string;
  enablePassword?: string;
  /** In place of a password, for devices that need none to show everything. */
  privateKeyFile?: string;
}

interface Collected {
  /** What it would store: the configuration in its own form, without what it takes for secret or noise. */
  text: string;
  /** What it says of the run. */
  log: string;
}

const nobody = 65534;

/**
 * @param type `edgerouter`, `frr`, `cisco` …
 * @returns as RANCID has it; the test is skipped where that is not installed
 */
export async function rancid(
  context: TestContext,
  device: { host: string; port: number },
  type: string,
  { username, password = 'none', enablePassword = password, privateKeyFile }: RancidLogin,
): Promise<Collected> {
  const program = peer('rancid');
  const why = lacks('rancid', 'ssh');
  if (program === undefined || why) return context.skip(why);
  const home = await mkdtemp(join(tmpdir(), 'skolo-rancid-'));
  context.onTestFinished(() => rm(home, { recursive: true, force: true }));
  const path = [dirname(program), '/usr/bin', '/bin'].join(':');
  await writeFile(
    join(home, '.cloginrc'),
    [
      `add user * ${username}`,
      `add password * {${password}} {${enablePassword}}`,
      `add method * {ssh:${device.port}}`,
      `add sshcmd * ${join(home, 'ssh')}`,
      ...(privateKeyFile ? [`add identity * ${join(home, 'key')}`, 'add autoenable * 1'] : []),
      '',
    ].join('\n'),
    { mode: 0o600 },
  );
  const knowsNothing =
    '-F none -oStrictHostKeyChecking=no -oUserKnownHostsFile=/dev/null -oLogLevel=ERROR';
  await writeFile(join(home, 'ssh'), `#!/bin/sh\nexec ssh ${knowsNothing} "$@"\n`, { mode: 0o755 });
  if (privateKeyFile) await copyFile(privateKeyFile, join(home, 'key'));
  const isRoot = process.getuid?.() === 0;
  if (isRoot) {
    for (const file of ['', ...(await readdir(home))]) {
      await chown(join(home, file), nobody, nobody);
    }
  }
  await chmod(home, 0o700);
  const child = spawn(program, ['-l', '-t', type, device.host], {
    cwd: home,
    env: {
      PATH: path,
      HOME: home,
      USER: 'nobody',
      LOGNAME: 'nobody',
      TERM: 'network',
      LC_ALL: 'C',
      FILTER_PWDS: 'YES',
      NOCOMMSTR: 'YES',
    },
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(isRoot && { uid: nobody, gid: nobody }),
  });
  context.onTestFinished(() => void child.kill());
  let log = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (data: Buffer) => {
      log += data.toString('latin1');
    });
  }
  await once(child, 'close');
  const text = await readFile(join(home, `${device.host}.new`), 'latin1').catch(() => '');
  return { text, log };
}
