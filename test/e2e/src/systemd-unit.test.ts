/** The unit of the agent for a bare machine: deploy/systemd. */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it, onTestFinished } from 'vitest';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../../../', import.meta.url));
const folder = join(root, 'deploy/systemd');
const name = 'skolo-swarming-client.service';
const unit = await readFile(join(folder, name), 'utf8');

/** Values of a key, in order. */
function values(key: string): string[] {
  const lines = unit.matchAll(new RegExp(`^${key}=(.*)$`, 'gm'));
  return [...lines].map(([, value = '']) => value);
}

/** The program of the unit, where this repository is. */
function commandLine(): string[] {
  const [line = ''] = values('ExecStart');
  return line.split(' ').map((word) => word.replace(/^\/opt\/skolo\//, root));
}

async function help(): Promise<string> {
  const [, main = ''] = commandLine();
  const { stdout } = await run(process.execPath, [main, '--help']);
  return stdout;
}

describe('the unit of the agent', () => {
  it('starts what is there, with flags that there are', async () => {
    const flags = commandLine().filter((word) => word.startsWith('--'));
    const text = await help();

    expect(flags).not.toEqual([]);
    for (const flag of flags) expect(text).toMatch(new RegExp(`^ +${flag} `, 'm'));
  });

  it('writes where systemd has made a folder for it', () => {
    const at = commandLine().indexOf('--state-dir');

    expect(commandLine()[at + 1]).toBe(`/var/lib/${values('StateDirectory')[0]}`);
  });

  it('waits for longer than a task may go on', async () => {
    const schema: unknown = JSON.parse(
      await readFile(join(root, 'packages/rack/rack.schema.json'), 'utf8'),
    );
    const graces = JSON.stringify(schema).match(/"taskGraceSeconds":\{[^{}]*"default":(\d+)/);

    expect(Number(graces?.[1])).toBe(3600);
    // The task and the bot get 30 s each to end, and what hangs a moment more.
    expect(Number(values('TimeoutStopSec')[0])).toBeGreaterThan(Number(graces?.[1]) + 120);
  });

  it('and its README name variables that there are', async () => {
    const readme = await readFile(join(folder, 'README.md'), 'utf8');
    const named = new Set(`${unit}${readme}`.match(/\bSKOLO_[A-Z_]+/g));
    const text = await help();

    expect(named.size).toBeGreaterThan(3);
    for (const variable of named) expect(text).toContain(`  ${variable} `);
  });

  it('is what systemd understands', async ({ skip }) => {
    const version = await run('systemd-analyze', ['--version']).catch(() => undefined);
    if (!version) return skip('systemd-analyze is not installed');
    const dir = await mkdtemp(join(tmpdir(), 'skolo-unit-'));
    onTestFinished(() => rm(dir, { recursive: true, force: true }));
    const copy = join(dir, name);
    // It looks for the program, too.
    await writeFile(copy, unit.replaceAll('/usr/bin/node', process.execPath));

    const { stdout, stderr } = await run('systemd-analyze', ['verify', '--man=no', copy]);

    expect(stdout + stderr).toBe('');
  });
});
