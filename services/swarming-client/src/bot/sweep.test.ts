import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { sweep } from './sweep.ts';

let folder = '';
let botDir = '';
const started: ChildProcess[] = [];

beforeEach(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), 'sweep-')));
  botDir = join(folder, 's');
  await mkdir(join(botDir, 'w/ir'), { recursive: true });
  await writeFile(join(botDir, 'swarming.lck'), '1');
});

afterEach(async () => {
  for (const child of started.splice(0)) child.kill('SIGKILL');
  await rm(folder, { recursive: true, force: true });
});

async function sleeper(options: { env?: NodeJS.ProcessEnv; cwd?: string; script?: string }) {
  const script = options.script ?? 'echo; exec sleep 600';
  const child = spawn('/bin/sh', ['-c', script], {
    env: options.env ?? {},
    cwd: options.cwd ?? '/usr',
    stdio: ['ignore', 'pipe', 'ignore'],
    detached: true,
  });
  started.push(child);
  await once(child.stdout, 'data');
  return child;
}

function isEnded({ exitCode, signalCode }: ChildProcess) {
  return exitCode !== null || signalCode !== null;
}

describe('what a bot left', () => {
  it('is found by its mark, and by its folder, whatever that is called', async () => {
    const marked = await sleeper({ env: { SKOLO_AGENT_BOT: botDir } });
    const inside = await sleeper({ cwd: join(botDir, 'w/ir') });
    await symlink(botDir, join(folder, 'link'));

    const swept = await sweep(join(folder, 'link'), undefined);

    await expect.poll(() => isEnded(inside) && isEnded(marked)).toBe(true);
    expect(swept).toEqual({ ended: 2, stuck: [] });
  });

  it('is ended with its children, marked or not', async () => {
    const script = 'env -i setsid sleep 601 & echo; wait';
    const parent = await sleeper({ env: { SKOLO_AGENT_BOT: botDir }, script });

    const { ended } = await sweep(botDir, undefined);

    expect(ended).toBe(2);
    await expect.poll(() => isEnded(parent)).toBe(true);
  });

  it('is a bot that somebody else started in the folder', async () => {
    const named = spawn(
      '/bin/sh',
      ['-c', 'echo; sleep 600 & wait', 's/swarming_bot.1.zip', 'start_bot'],
      {
        cwd: folder,
        env: {},
        stdio: ['ignore', 'pipe', 'ignore'],
      },
    );
    started.push(named);
    await once(named.stdout, 'data');

    const { ended } = await sweep(botDir, undefined);

    await expect.poll(() => isEnded(named)).toBe(true);
    expect(ended).toBe(2);
  });

  it('is nothing of others: another folder, another mark, nor who only knows its name', async () => {
    const others = [
      await sleeper({ env: { SKOLO_AGENT_BOT: `${botDir}2` } }),
      await sleeper({ env: { PWD: botDir } }),
      await sleeper({ cwd: folder }),
      await sleeper({ script: `echo; exec sleep 600 # ${botDir}/swarming_bot.zip start_bot` }),
    ];

    const swept = await sweep(botDir, undefined);

    expect(swept).toEqual({ ended: 0, stuck: [] });
    expect(others.filter(isEnded)).toEqual([]);
  });

  it('is not who works in a folder in which no bot ever was', async () => {
    await rm(join(botDir, 'swarming.lck'));
    const inside = await sleeper({ cwd: botDir });

    expect(await sweep(botDir, undefined)).toEqual({ ended: 0, stuck: [] });
    expect(isEnded(inside)).toBe(false);
  });

  it('is ended also when it multiplies', async () => {
    const script = 'echo; while :; do (sleep 0.01 & sleep 0.02); done';
    const parent = await sleeper({ env: { SKOLO_AGENT_BOT: botDir }, script });

    const swept = await sweep(botDir, undefined);

    await expect.poll(() => isEnded(parent)).toBe(true);
    expect(swept.stuck).toEqual([]);
    expect(await sweep(botDir, undefined)).toEqual({ ended: 0, stuck: [] });
  });

  it('spares the one that is there now', async () => {
    const now = await sleeper({
      env: { SKOLO_AGENT_BOT: botDir },
      script: 'sleep 600 & echo; wait',
    });

    expect(await sweep(botDir, now.pid)).toEqual({ ended: 0, stuck: [] });
    expect(isEnded(now)).toBe(false);
    await sweep(botDir, undefined);
  });
});
