/** RANCID, backup software of other people, reads what is behind a real sshd. It refuses to work as root: it is `nobody` then. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chown, copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { TestContext } from 'vitest';
import { peer } from '../peer.ts';
import type { SshEndpoint } from './sshd.ts';

const nobody = 65534;

/** The configuration as it would store it. The test is skipped where it is not installed. @param type `frr`, `cisco` … */
export async function readByRancid(
  context: TestContext,
  endpoint: SshEndpoint,
  type: string,
): Promise<string> {
  const program = peer('rancid');
  if (program === undefined) return context.skip('rancid is not installed');
  const home = await mkdtemp(join(tmpdir(), 'skolo-rancid-'));
  context.onTestFinished(() => rm(home, { recursive: true, force: true }));
  const known =
    '-F none -oStrictHostKeyChecking=no -oUserKnownHostsFile=/dev/null -oLogLevel=ERROR';
  const login = [
    `add user * ${endpoint.username}`,
    'add password * {none} {none}',
    `add identity * ${join(home, 'key')}`,
    `add method * {ssh:${endpoint.port}}`,
    `add sshcmd * ${join(home, 'ssh')}`,
    'add autoenable * 1',
  ];
  await writeFile(join(home, '.cloginrc'), `${login.join('\n')}\n`, { mode: 0o600 });
  await writeFile(join(home, 'ssh'), `#!/bin/sh\nexec ssh ${known} "$@"\n`, { mode: 0o755 });
  await copyFile(endpoint.privateKeyFile, join(home, 'key'));
  const isRoot = process.getuid?.() === 0;
  if (isRoot) {
    for (const file of ['', '.cloginrc', 'ssh', 'key'])
      await chown(join(home, file), nobody, nobody);
  }
  const child = spawn(program, ['-l', '-t', type, endpoint.host], {
    cwd: home,
    env: {
      PATH: [dirname(program), '/usr/bin', '/bin'].join(':'),
      HOME: home,
      USER: 'nobody',
      LOGNAME: 'nobody',
      TERM: 'network',
      LC_ALL: 'C',
      FILTER_PWDS: 'NO',
    },
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(isRoot && { uid: nobody, gid: nobody }),
  });
  context.onTestFinished(() => void child.kill());
  let log = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (data: Buffer) => {
      log += data.toString();
    });
  }
  await once(child, 'close');
  return await readFile(join(home, `${endpoint.host}.new`), 'utf8').catch(() => {
    throw new Error(`rancid gives nothing: ${log}`);
  });
}
