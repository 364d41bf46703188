import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, realpath, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { countRounds } from '@skolo/base/durable/fault-injection';
import { tempDir } from '@skolo/base/testing';
import { lacks } from '@skolo/simulators/peer';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { sweep } from './sweep.ts';
import { python } from './testing/python.ts';

let folder = '';
let botDir = '';
const started: ChildProcess[] = [];

beforeEach(async () => {
  folder = await realpath(await tempDir());
  botDir = join(folder, 's');
  await mkdir(join(botDir, 'w/ir'), { recursive: true });
});

afterEach(async () => {
  for (const child of started.splice(0)) child.kill('SIGKILL');
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

/** Python runs a file of source as well as a zip. It changes to its folder, as the bot does. */
const bot = `
import os, subprocess, sys
os.chdir(os.path.dirname(os.path.abspath(sys.argv[0])))
child = subprocess.Popen(['sleep', '600'])
print(flush=True)
child.wait()
`;

function isEnded({ exitCode, signalCode }: ChildProcess) {
  return exitCode !== null || signalCode !== null;
}

describe('what a bot left', () => {
  it('is found by its mark, and as a task of its folder, whatever that is called', async () => {
    const marked = await sleeper({ env: { SKOLO_AGENT_BOT: botDir } });
    const inside = await sleeper({ env: { SWARMING_HEADLESS: '1' }, cwd: join(botDir, 'w/ir') });
    await symlink(botDir, join(folder, 'link'));

    const swept = await sweep(join(folder, 'link'), undefined);

    await expect.poll(() => isEnded(inside) && isEnded(marked)).toBe(true);
    expect(swept).toEqual({ ended: 2, stuck: [] });
  });

  it('is found although it changes its program all the time', async () => {
    const script = 'exec /bin/sh -c "$0" "$0"';
    for (let attempt = 0; attempt < countRounds(5, 40); attempt += 1) {
      const child = spawn('/bin/sh', ['-c', script, script], {
        env: { SKOLO_AGENT_BOT: botDir },
        cwd: '/usr',
        stdio: 'ignore',
      });
      started.push(child);
      await once(child, 'spawn');

      expect(await sweep(botDir, undefined)).toEqual({ ended: 1, stuck: [] });
    }
  });

  it('is ended with its children, marked or not', async () => {
    const script = 'env -i setsid sleep 601 & echo; wait';
    const parent = await sleeper({ env: { SKOLO_AGENT_BOT: botDir }, script });

    const { ended } = await sweep(botDir, undefined);

    expect(ended).toBe(2);
    await expect.poll(() => isEnded(parent)).toBe(true);
  });

  it.skipIf(lacks('python3')).each([
    ['s/swarming_bot.1.zip', 'start_bot'],
    ['/swarming_bot.zip', 'run_isolated'],
  ])('is %s %s, whoever started it', async (zip, command) => {
    await writeFile(join(botDir, 'swarming_bot.1.zip'), bot);
    await writeFile(join(botDir, 'swarming_bot.zip'), bot);
    const named = spawn(
      python ?? '',
      ['-u', zip.startsWith('/') ? join(botDir, zip) : zip, command],
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
      await sleeper({ cwd: folder, env: { SWARMING_HEADLESS: '1' } }),
      await sleeper({ script: `echo; exec sleep 600 # ${botDir}/swarming_bot.zip start_bot` }),
    ];

    const swept = await sweep(botDir, undefined);

    expect(swept).toEqual({ ended: 0, stuck: [] });
    expect(others.filter(isEnded)).toEqual([]);
  });

  it('is no program that reads the folder: a log shipper, a backup, a copy of the bot', async () => {
    const zip = join(botDir, 'swarming_bot.zip');
    await writeFile(zip, 'a bot');
    const readers = [
      await sleeper({ cwd: botDir }),
      await sleeper({ script: `echo; exec tail -f '${zip}' start_bot` }),
      await sleeper({ script: `cd '${botDir}/w'; echo; exec tail -f ../swarming_bot.zip` }),
    ];

    const swept = await sweep(botDir, undefined);

    expect(swept).toEqual({ ended: 0, stuck: [] });
    expect(readers.filter(isEnded)).toEqual([]);
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
