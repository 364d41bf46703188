import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { tempDir } from '../testing/index.ts';
import { CommandFailed, runCommand as run } from './run-command.ts';

const timeoutMs = 120_000;

const sh = (script: string, ...args: string[]) => ['-c', script, 'sh', ...args];

/** Process ids that a script wrote, once it has. */
async function pidsIn(file: string, count: number): Promise<number[]> {
  return await expect
    .poll(async () => {
      const text = await readFile(file, 'utf8').catch(() => '');
      return text.split('\n').filter((line) => line !== '').length;
    })
    .toBe(count)
    .then(() => readFileSync(file, 'utf8').trim().split('\n').map(Number));
}

/** Neither runs nor is a zombie of this process. */
function isGone(pid: number): boolean {
  try {
    const [, state, parent] =
      readFileSync(`/proc/${pid}/stat`, 'utf8')
        .split(') ')
        .at(-1)
        ?.match(/^(\S) (\d+)/) ?? [];
    // Whose parent has died waits for the init of the system, which is not ours to wait for.
    return state === 'Z' && Number(parent) !== process.pid;
  } catch {
    return true;
  }
}

/** Blocks this process. */
function block(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

/** The time of what is started from now on, until the test ends. */
function stopTimers() {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  onTestFinished(() => void vi.useRealTimers());
}

const twoChildren = 'sleep 600 & echo $! >> "$1"; echo $$ >> "$1"; sleep 600';

describe('running a program', () => {
  it('gives status and both outputs', async () => {
    const result = await run('sh', sh('echo one; echo two >&2; exit 3'), { timeoutMs });

    expect(result).toEqual({ status: 3, stdout: 'one\n', stderr: 'two\n' });
  });

  it('takes arguments as they are', async () => {
    const { stdout } = await run('printf', ['%s|', '$(id)', '; ls', '*', '-x'], { timeoutMs });

    expect(stdout).toBe('$(id)|; ls|*|-x|');
  });

  it('gives it no input', async () => {
    expect(await run('cat', [], { timeoutMs })).toMatchObject({ status: 0, stdout: '' });
  });

  it('reports that a signal ended it', async () => {
    const result = await run('sh', sh('kill -TERM $$'), { timeoutMs });

    expect(result.status).toBeUndefined();
  });

  it('gives it the environment that was asked for, and no more', async () => {
    const { stdout } = await run('/usr/bin/env', [], { timeoutMs, env: { ONLY: 'this' } });

    expect(stdout).toBe('ONLY=this\n');
  });

  it.each([
    { file: 'skolo-no-such-program', args: [], code: 'missing', text: /is not installed/ },
    { file: '/etc/passwd', args: [], code: 'not-started', text: /cannot be run: EACCES/ },
    { file: 'echo', args: ['a\0b'], code: 'not-started', text: /cannot be run/ },
  ])('says that it cannot be run: $code', async ({ file, args, code, text }) => {
    const ran = run(file, args, { timeoutMs });

    await expect(ran).rejects.toThrow(CommandFailed);
    await expect(ran).rejects.toMatchObject({ code, message: expect.stringMatching(text) });
  });
});

describe('its end', () => {
  it('comes with its time, for its whole group', async () => {
    const file = join(await tempDir(), 'pids');
    stopTimers();
    const ran = expect(run('sh', sh(twoChildren, file), { timeoutMs: 3000 })).rejects.toMatchObject(
      { code: 'timeout', message: 'sh took longer than 3 s' },
    );
    const pids = await pidsIn(file, 2);

    vi.advanceTimersByTime(2999);
    expect(pids.some(isGone)).toBe(false);
    vi.advanceTimersByTime(1);

    await ran;
    for (const pid of pids) await expect.poll(() => isGone(pid)).toBe(true);
  });

  it('comes when it is not wanted any more, with the reason', async () => {
    const file = join(await tempDir(), 'pids');
    const wanted = new AbortController();
    const ran = run('sh', sh(twoChildren, file), { timeoutMs, signal: wanted.signal });
    ran.catch(() => undefined);
    const pids = await pidsIn(file, 2);

    wanted.abort(new Error('the agent is stopping'));

    await expect(ran).rejects.toThrow('the agent is stopping');
    for (const pid of pids) await expect.poll(() => isGone(pid)).toBe(true);
  });

  it('does not begin when it is not wanted from the start', async () => {
    const signal = AbortSignal.abort(new Error('too late'));

    await expect(run('sh', sh('exit 0'), { timeoutMs, signal })).rejects.toThrow('too late');
  });

  it('comes when it prints too much', async () => {
    await expect(run('yes', [], { timeoutMs, mostBytes: 10_000 })).rejects.toMatchObject({
      code: 'too-much',
    });
  });

  it('takes what it left in its group with it', async () => {
    const file = join(await tempDir(), 'pids');

    const result = await run('sh', sh('sleep 600 & echo $! > "$1"; echo done', file), {
      timeoutMs,
    });

    expect(result).toMatchObject({ status: 0, stdout: 'done\n' });
    const [pid = 0] = await pidsIn(file, 1);
    await expect.poll(() => isGone(pid)).toBe(true);
  });

  it('does not wait for a daemon that kept its output', async () => {
    const file = join(await tempDir(), 'pids');
    const script = 'setsid sh -c \'echo $$ > "$1"; exec sleep 600\' sh "$1" & echo started';

    const result = await run('sh', sh(`${script}; until [ -s "$1" ]; do :; done`, file), {
      timeoutMs,
    });

    const [pid = 0] = await pidsIn(file, 1);
    onTestFinished(() => void process.kill(pid, 'SIGKILL'));
    expect(result).toMatchObject({ status: 0, stdout: 'started\n' });
    expect(isGone(pid)).toBe(false);
  });

  it('takes what was printed while this process was blocked', async () => {
    const file = join(await tempDir(), 'printed');
    // The first thing that it does when a program has exited.
    vi.spyOn(process, 'kill').mockImplementationOnce(() => {
      setImmediate(() => {
        while (!existsSync(file)) block(50);
        block(1500);
      });
      return true;
    });
    onTestFinished(() => void vi.restoreAllMocks());
    const daemon = 'setsid sh -c \'sleep 0.3; echo late; : > "$1"\' sh "$1"';

    const result = await run('sh', sh(`${daemon} &`, file), { timeoutMs });

    expect(result).toMatchObject({ status: 0, stdout: 'late\n' });
  });

  it('leaves no descriptor and no child behind', async () => {
    const count = () => readdirSync('/proc/self/fd').length;
    await run('true', [], { timeoutMs });
    const before = count();

    for (let round = 0; round < 10; round++) {
      await run('true', [], { timeoutMs });
      await run('sleep', ['600'], { timeoutMs: 5 }).catch(() => undefined);
      await run('skolo-no-such-program', [], { timeoutMs }).catch(() => undefined);
      await run('yes', [], { timeoutMs, mostBytes: 10 }).catch(() => undefined);
    }

    await expect.poll(count).toBeLessThanOrEqual(before);
    const children = readFileSync(`/proc/self/task/${process.pid}/children`, 'utf8');
    expect(children.split(' ').filter((pid) => pid !== '' && isOfTest(pid))).toEqual([]);
  });
});

function isOfTest(pid: string): boolean {
  try {
    return /\((sleep|true|yes)\)/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

describe('its output in a file', () => {
  it('is whole', async () => {
    const stdoutFile = join(await tempDir(), 'out');

    const result = await run('head', ['-c', '3000000', '/dev/zero'], { timeoutMs, stdoutFile });

    expect(result).toEqual({ status: 0, stdout: '', stderr: '' });
    expect(await readFile(stdoutFile)).toHaveLength(3_000_000);
  });

  it('is no longer than it may be, and stays when its time is over', async () => {
    const stdoutFile = join(await tempDir(), 'out');

    const much = run('yes', [], { timeoutMs, stdoutFile, mostBytes: 1000 });
    await expect(much).rejects.toMatchObject({ code: 'too-much' });
    expect(await readFile(stdoutFile)).toHaveLength(1000);

    stopTimers();
    const slow = run('sh', sh('echo line; sleep 600'), { timeoutMs: 3000, stdoutFile });
    const ended = expect(slow).rejects.toMatchObject({ code: 'timeout' });
    await expect.poll(() => readFile(stdoutFile, 'utf8')).toBe('line\n');
    vi.advanceTimersByTime(3000);
    await ended;
    expect(await readFile(stdoutFile, 'utf8')).toBe('line\n');
  });

  it('cannot be written: reports that', async () => {
    const ran = run('echo', ['x'], { timeoutMs, stdoutFile: '/nonexistent/out' });

    await expect(ran).rejects.toThrow('/nonexistent/out');
  });
});
