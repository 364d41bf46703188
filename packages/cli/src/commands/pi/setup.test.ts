/** What a computer at a real sshd lacks of a Pi. src/pi-setup.slow.test.ts sets up Debians in namespaces. */
import { writeFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { tempDir, untilTestEnds } from '@skolo/base/testing';
import { lacks, startJumphost } from '@skolo/simulators';
import { expect, it } from 'vitest';
import { runCommand } from '../../testing/run-command.ts';

const what = '--check names what differs on each Pi, and one that cannot be reached';

it.skipIf(lacks('root', 'sshd', 'ssh'))(what, async ({ skip }) => {
  const pi = await startJumphost({ name: 'host01' });
  if (pi === undefined) return skip('sshd is not installed');
  untilTestEnds(pi);
  const dir = await tempDir();
  const [rack, key] = [join(dir, 'rack.yaml'), join(dir, 'key.pub')];
  await writeFile(key, 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIexample ann@desk\n');
  await writeFile(
    rack,
    `rack: desk
timezone: Antarctica/Troll
jumphost: { name: host01, address: 127.0.0.1 }
machines: { host02: { kind: rpi, address: 127.0.0.2, ports: { ssh: 1 } } }
`,
  );
  const options = ['--check', '--key', key, '--sign-in-as', userInfo().username];
  const env = { PATH: `${pi.bin}:${process.env.PATH}`, HOME: dir, XDG_RUNTIME_DIR: dir };

  const { out, exitCode } = await runCommand(
    ['--rack', rack, 'pi', 'setup', 'host[01-02]', ...options, '--locale', 'nb_NO.UTF-8'],
    undefined,
    env,
  );

  expect(out).toMatch(/^host01 +differs +.*name,hosts,.*place,/m);
  expect(out).toMatch(/^host02 +failed /m);
  expect(out).toMatch(/^host01: .*the host name is .*the time zone is .*the language is /m);
  expect(exitCode).toBe(1);
});
