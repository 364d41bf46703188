/** test/build-go with a compiler that waits. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFile, cp, readdir, readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { run, tempDir } from '@skolo/base/testing';
import { beforeEach, expect, it } from 'vitest';

const tests = resolve(import.meta.dirname, '../..');

let dir: string;
let script: string;
let env: NodeJS.ProcessEnv;
beforeEach(async () => {
  dir = await tempDir();
  for (const name of ['build-go', 'containerd'])
    await cp(join(tests, name), join(dir, name), { recursive: true });
  script = join(dir, 'build-go');
  // It ends once somebody has opened the pipe, and `-o FILE` are its second and third argument.
  const go = `#!/bin/sh\necho "$@" >> ${dir}/builds\necho > ${dir}/pipe\ncp /bin/true "$3"\n`;
  await writeFile(join(dir, 'go'), go, { mode: 0o755 });
  await run('mkfifo', [join(dir, 'pipe')]);
  env = { PATH: `${dir}:${process.env.PATH}`, XDG_CACHE_HOME: dir };
});

/** `test/build-go containerd`, and what it prints. */
function start() {
  const child = spawn(script, ['containerd'], { env });
  const printed = { out: '', err: '' };
  child.stdout.on('data', (bytes) => (printed.out += bytes));
  child.stderr.on('data', (bytes) => (printed.err += bytes));
  const ended = once(child, 'close').then(([code]: unknown[]) => ({ code, ...printed }));
  return { printed, ended };
}

async function place(): Promise<string> {
  return (await run(script, ['containerd', '--path'], { env })).stdout;
}

it.skipIf(process.platform !== 'linux' && 'only on Linux')(
  'builds a program once for two processes',
  async () => {
    const [first, second] = [start(), start()];
    const waiting = 'build-go: waiting for another build of containerd\n';
    await expect.poll(() => [first, second].map(({ printed }) => printed.err)).toContain(waiting);
    await readFile(join(dir, 'pipe'));

    const out = await place();
    const ends = await Promise.all([first.ended, second.ended]);
    expect(ends.map(({ err }) => err).sort()).toEqual(['', waiting]);
    for (const end of ends) expect(end).toMatchObject({ code: 0, out });
    const builds = await readFile(join(dir, 'builds'), 'utf8');
    expect(builds.split('\n')).toHaveLength(2);
    // Go would write the commit into the program, so that the same sources have different bytes.
    expect(builds).toContain(' -buildvcs=false ');
    expect(await start().ended).toEqual({ code: 0, out, err: '' });
    expect((await readdir(join(dir, 'skolo'))).filter((name) => name.endsWith('.partial'))).toEqual(
      [],
    );
  },
);

it.skipIf(process.platform !== 'linux' && 'only on Linux')(
  'builds again only if something changes that affects the result',
  async () => {
    const before = await place();

    await appendFile(script, '# a comment\n');
    expect(await place()).toBe(before);
    await appendFile(join(dir, 'containerd/main.go'), '\n');
    const ofSources = await place();
    await writeFile(script, (await readFile(script, 'utf8')).replace('no_btrfs,', ''));
    const ofOptions = await place();

    expect(new Set([before, ofSources, ofOptions]).size).toBe(3);
  },
);
