import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { tempDir, untilTestEnds } from '@skolo/base/testing';
import { expect, it } from 'vitest';
import { startGuardian } from './guardian.ts';

it('ends a program whose starter is killed right after the start, whatever it has done until then', async () => {
  const runtime = await tempDir();
  const module = new URL('guardian.ts', import.meta.url).href;
  // Nothing of Node's runs between the start and the kill.
  const script = `
    const { startGuardian } = await import('${module}');
    const guardian = await startGuardian({ ...process.env, XDG_RUNTIME_DIR: '${runtime}' });
    guardian.start('sh', ['-c', 'echo $$; exec sleep 1000'], { stdio: ['ignore', 'inherit', 'inherit'] });
    process.kill(process.pid, 'SIGKILL');
  `;
  const starter = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });

  // Its output ends with the program.
  const said = text(starter.stdout);

  expect(await once(starter, 'exit')).toEqual([null, 'SIGKILL']);
  await said;
  await expect.poll(() => readdir(runtime)).toEqual([]);
});

it('does not touch what has ended by itself, and has the exit status', async () => {
  const guardian = await startGuardian(process.env);

  const child = guardian.start('sh', ['-c', 'exit 5'], { stdio: 'ignore' });

  expect(await once(child, 'exit')).toEqual([5, null]);
  await guardian.close();
});

it('says which program is not there', async () => {
  const guardian = untilTestEnds(await startGuardian(process.env));

  const child = guardian.start('no-such-program', [], { stdio: ['ignore', 'pipe', 'pipe'] });

  if (!child.stderr) throw new Error('no stderr');
  expect(await text(child.stderr)).toBe('skolo: no-such-program: no such program; install it\n');
});
