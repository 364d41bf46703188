import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { tempDir } from '@skolo/base/testing';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { DeviceRejected, DeviceTimeout } from './errors.ts';
import { type Program, runProgram } from './program.ts';

const patient = () => new AbortController().signal;

function run(command: string[], over: Partial<Program> = {}, signal = patient()) {
  const program = { command, timeoutMs: 20_000, hint: 'install it', ...over };
  return runProgram('device-1', program, signal);
}

async function isRunning(pid: number): Promise<boolean> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  return stat !== '' && !/\) Z/.test(stat);
}

describe('runProgram', () => {
  it('gives what is printed, and the status', async () => {
    const ran = await run(['sh', '-c', 'echo out; echo err >&2; exit 3']);

    expect(ran).toEqual({ status: 3, stdout: 'out\n', stderr: 'err\n' });
  });

  it('hands over words as they are: there is no shell', async () => {
    const words = ['$HOME', '`id`', '; echo x', '*', "'", '"', ' ', '\\'];

    const { stdout } = await run(['printf', '%s\\n', ...words]);

    expect(stdout).toBe(`${words.join('\n')}\n`);
  });

  it("passes on nothing of the daemon's environment but PATH and HOME", async () => {
    vi.stubEnv('SKOLO_TOKEN', 'hunter2');
    onTestFinished(() => {
      vi.unstubAllEnvs();
    });

    const { stdout } = await run(['env'], { env: { OWN: 'x' } });

    const names = stdout
      .trim()
      .split('\n')
      .map((line) => line.split('=')[0]);
    expect(names.sort()).toEqual(['HOME', 'LC_ALL', 'OWN', 'PATH']);
  });

  it.for([
    ['does not exist', ['/nowhere/relay'], '/nowhere/relay does not exist; install it'],
    ['cannot be run', ['/etc/passwd'], '/etc/passwd cannot be run: EACCES; install it'],
    [
      'has an impossible argument',
      ['sh', 'a\0b'],
      'sh cannot be run: ERR_INVALID_ARG_VALUE; install it',
    ],
    ['is ended by somebody', ['sh', '-c', 'kill -9 $$'], 'sh was terminated by SIGKILL'],
    ['talks too much', ['yes'], 'yes printed more than 65536 bytes'],
  ] as const)('rejects a program that %s', async ([, command, message]) => {
    const error = await run([...command]).catch((reason: unknown) => reason);

    expect(error).toBeInstanceOf(DeviceRejected);
    expect(error).toHaveProperty('message', `device-1: ${message}`);
  });

  const child = 'sleep 300 & echo $! > "$0/child"; echo $$ > "$0/self"; wait';
  const stubborn = `trap '' TERM; ${child}`;

  it.for([
    ['in time', child],
    ['though it does not want to', stubborn],
  ] as const)(
    'ends a program that takes too long, and what it has started, %s',
    async ([, script]) => {
      const dir = await tempDir();

      const ran = run(['sh', '-c', script, dir], { timeoutMs: 300 });

      await expect(ran).rejects.toThrow(DeviceTimeout);
      for (const name of ['self', 'child']) {
        const pid = Number(await readFile(join(dir, name), 'utf8'));
        await vi.waitFor(async () => expect(await isRunning(pid)).toBe(false));
      }
    },
  );

  it('ends it when the caller gives up, for the reason that the caller has', async () => {
    const dir = await tempDir();
    const told = new AbortController();
    const why = new Error('the daemon stops');
    const ran = run(['sh', '-c', child, dir], {}, told.signal);
    const ended = expect(ran).rejects.toBe(why);
    const started = async () => Number(await readFile(join(dir, 'self'), 'utf8'));
    await vi.waitFor(async () => expect(await started()).toBeGreaterThan(0));

    told.abort(why);

    await ended;
    const pid = await started();
    await vi.waitFor(async () => expect(await isRunning(pid)).toBe(false));
  });

  it('ends what a program leaves behind with its output open', async () => {
    const { status, stdout } = await run(['sh', '-c', 'sleep 300 & echo $!']);

    expect(status).toBe(0);
    await vi.waitFor(async () => expect(await isRunning(Number(stdout))).toBe(false));
  });
});
