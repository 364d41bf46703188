import { run } from '@skolo/base/testing';
import { expect, it, onTestFinished } from 'vitest';
import { peer } from '../peer.ts';
import { startLinuxHost } from './linux-host.ts';

it('is a host behind sshd, with files and programs of its own', async (context) => {
  if (!peer('ssh')) return context.skip('ssh is not installed');
  const host = await startLinuxHost();
  if (!host) return context.skip('sshd is not installed');
  onTestFinished(() => host.close());
  await host.write('etc/hosts', 'one\ntwo\n', 0o600);
  await host.program('wc', 'echo counted; PATH="$REAL" wc "$@"');

  const known = ['-o', 'StrictHostKeyChecking=no', '-o', 'UserKnownHostsFile=/dev/null'];
  const { stdout } = await run('ssh', [
    ...['-F', 'none', ...known, '-i', host.privateKeyFile, '-p', String(host.port)],
    `${host.username}@${host.host}`,
    `wc -l < ${host.root}/etc/hosts; stat -c %a ${host.root}/etc/hosts`,
  ]);

  expect(stdout).toBe('counted\n2\n600\n');
});
