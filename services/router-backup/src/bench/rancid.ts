/** RANCID 3 as people run it: `rancid-run` over a group of one device, with its history in git. It refuses to run as root. */
import { execFile } from 'node:child_process';
import { chown, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { NotRun } from '@skolo/bench';
import { peer, type SshEndpoint } from '@skolo/simulators';

const run = promisify(execFile);
const nobody = 65534;

interface Rancid {
  /** Seconds of one run. Throws if it did not read the device. */
  run(): Promise<number>;
  remove(): Promise<void>;
}

/** @throws NotRun */
export async function startRancid(endpoint: SshEndpoint, canary: string): Promise<Rancid> {
  const program = peer('rancid');
  if (program === undefined) throw new NotRun('rancid is not installed');
  const bin = dirname(program);
  const home = await mkdtemp(join(tmpdir(), 'skolo-rancid-bench-'));
  const file = (name: string, text: string, mode = 0o600) =>
    writeFile(join(home, name), text, { mode });
  const env = {
    PATH: `${bin}:/usr/bin:/bin`,
    HOME: home,
    USER: 'rancid',
    LOGNAME: 'rancid',
    LC_ALL: 'C',
    TERM: 'network',
  };
  await file('key', endpoint.privateKey);
  await file('.gitconfig', '[user]\n\tname = rancid\n\temail = rancid@localhost\n');
  const trusting =
    '-F none -oStrictHostKeyChecking=no -oUserKnownHostsFile=/dev/null -oLogLevel=ERROR';
  await file('ssh', `#!/bin/sh\nexec ssh ${trusting} -i ${home}/key "$@"\n`, 0o700);
  await file(
    '.cloginrc',
    [
      `add user * ${endpoint.username}`,
      'add password * {none} {none}',
      `add method * {ssh:${endpoint.port}}`,
      `add sshcmd * ${home}/ssh`,
      'add noenable * 1',
      'add autoenable * 1',
      '',
    ].join('\n'),
  );
  await file(
    'rancid.conf',
    `TERM=network; export TERM
LC_COLLATE=POSIX; export LC_COLLATE
umask 027
TMPDIR=${home}/tmp; export TMPDIR
BASEDIR=${home}/var; export BASEDIR
PATH=${env.PATH}; export PATH
PERL5LIB=/usr/share/perl5/rancid:/usr/lib/rancid; export PERL5LIB
CVSROOT=$BASEDIR/GIT; export CVSROOT
LOGDIR=$BASEDIR/logs; export LOGDIR
RCSSYS=git; export RCSSYS
FILTER_PWDS=NO; export FILTER_PWDS
NOCOMMSTR=NO; export NOCOMMSTR
SENDMAIL=/bin/true; export SENDMAIL
LIST_OF_GROUPS="bench"; export LIST_OF_GROUPS
`,
  );
  for (const folder of ['tmp', 'var', 'var/logs']) await mkdir(join(home, folder));
  const who = process.getuid?.() === 0 ? { uid: nobody, gid: nobody } : {};
  if ('uid' in who) await run('chown', ['-R', `${nobody}:${nobody}`, home]);
  const conf = join(home, 'rancid.conf');
  const options = { cwd: home, env, ...who, maxBuffer: 1 << 24 };
  await run(join(bin, 'rancid-cvs'), ['-f', conf], options);
  const db = join(home, 'var/bench/router.db');
  await writeFile(db, `${endpoint.host};frr;up\n`);
  if ('uid' in who) await chown(db, nobody, nobody);
  return {
    async run() {
      const began = performance.now();
      await run(join(bin, 'rancid-run'), ['-f', conf], options);
      const seconds = (performance.now() - began) / 1000;
      const git = ['-c', 'safe.directory=*', '-C', join(home, 'var/bench'), 'show'];
      const { stdout } = await run('git', [...git, `HEAD:configs/${endpoint.host}`], options);
      if (!stdout.includes(canary)) throw new Error('rancid has not read the device');
      return seconds;
    },
    remove: () => rm(home, { recursive: true, force: true }),
  };
}
