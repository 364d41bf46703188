/** Processes that hang, are stopped, get little processor time, or work hard, with a watchdog of half a second. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';

const limitMs = 500;
const module = pathToFileURL(`${import.meta.dirname}/watchdog.ts`);

/** Runs once it has begun; `compute` uses processor time in one task. */
const program = (body: string) => `
import { once } from 'node:events';
import { setImmediate } from 'node:timers/promises';
import { checkPrimeSync } from 'node:crypto';
import { startWatchdog } from '${module}';
const log = { warn: (fields, text) => console.log(text, JSON.stringify(fields)) };
startWatchdog(log, ${limitMs});
function compute(ms) {
  const before = process.threadCpuUsage();
  for (;;) {
    const { user, system } = process.threadCpuUsage(before);
    if (user + system > ms * 1000) return;
  }
}
console.log('begins');
${body}
console.log('ends');
`;

/** `ended`: its exit code or signal. */
function start(body: string, within: readonly string[] = []) {
  const node = [process.execPath, '--input-type=module', '--eval', program(body)];
  const [command = '', ...args] = [...within, ...node];
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'] });
  const lines: string[] = [];
  const errors: string[] = [];
  const read = createInterface({ input: child.stdout }).on('line', (line) => lines.push(line));
  child.stderr.setEncoding('utf8').on('data', (text: string) => errors.push(text));
  onTestFinished(() => void child.kill('SIGKILL'));
  return {
    child,
    lines,
    errors,
    read,
    ended: once(child, 'close').then(([code, signal]) => code ?? signal),
  };
}

it.each([
  ['a loop', 'for (;;);'],
  ['a call into OpenSSL', 'checkPrimeSync(2n ** 44497n - 1n);'],
  ['an expression', `/^(a|aa)+$/.test('a'.repeat(60) + 'b');`],
  ['promises that go on for ever', 'for (;;) await undefined;'],
  ['a loop after a while', 'await once(process.stdin, "data"); for (;;);'],
])('a process that hangs in %s is killed', async (_what, body) => {
  const { child, lines, errors, ended } = start(body);
  child.stdin.write('go\n');

  expect(await ended).toBe('SIGKILL');
  expect(lines).toEqual(['begins']);
  const [line = ''] = errors.join('').split('\n');
  expect(JSON.parse(line)).toEqual({
    level: 'fatal',
    msg: expect.stringMatching(/^main thread stuck for \d{3,4} ms of CPU time: sending SIGKILL$/),
  });
});

it.each([
  [
    'works in short tasks',
    'for (let i = 0; i < 30; i += 1) { compute(50); await setImmediate(); }',
  ],
  ['works in one task that is shorter than the limit', 'compute(250);'],
  // As a process without processor time, or of a virtual machine that is paused.
  ['sleeps', 'Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1500);'],
])('a process that %s is not, and ends by itself', async (_what, body) => {
  const { lines, errors, ended } = start(body);

  expect(await ended).toBe(0);
  expect({ lines, errors }).toEqual({ lines: ['begins', 'ends'], errors: [] });
});

it('a process that is stopped for longer than the limit is not, in the middle of a task', async () => {
  const { child, lines, read, ended } = start('compute(300);');
  await once(read, 'line');
  let isOver = false;
  void ended.then(() => {
    isOver = true;
  });

  // A cgroup whose quota is used up is stopped in the same way: it gets a sixth of the time.
  while (!isOver) {
    child.kill('SIGSTOP');
    await new Promise((resolve) => setTimeout(resolve, 100));
    child.kill('SIGCONT');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }

  expect(await ended).toBe(0);
  expect(lines).toEqual(['begins', 'ends']);
});

const unshare = ['--map-root-user', '--pid', '--fork', '--mount-proc'];
const canUnshare = spawnSync('unshare', [...unshare, 'true']).status === 0;

describe.skipIf(!canUnshare && 'no namespaces here')('in a container', () => {
  it('process 1 says that it cannot be killed', async () => {
    const { lines, ended } = start('', ['unshare', ...unshare]);

    expect(await ended).toBe(0);
    const warning = 'watchdog off: no restart if the service hangs {"why":"process 1';
    expect(lines.join()).toContain(warning);
  });

  it('a process of an init is killed', async () => {
    // As tini: it starts one program, and ends with its code.
    const init = ['sh', '-c', '"$@"; exit $?', 'sh'];
    const { ended } = start('for (;;);', ['unshare', ...unshare, ...init]);

    expect(await ended).toBe(128 + 9);
  });
});
