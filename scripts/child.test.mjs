import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';

const childModule = fileURLToPath(new URL('child.mjs', import.meta.url));

/**
 * The command of a process that runs `script` through runChild, as `npm start` runs the demo.
 * @param {string} script
 * @param {object} [options] of runChild
 * @param {string} [before] what the process runs first
 */
function parentCommand(script, options = {}, before = '') {
  return [
    process.execPath,
    '--input-type=module',
    '--eval',
    `${before}
     const { runChild } = await import(${JSON.stringify(childModule)});
     const { exitCode, interrupted } = await runChild(
       process.execPath, ['--eval', ${JSON.stringify(script)}], ${JSON.stringify(options)});
     if (interrupted) console.log('interrupted');
     process.exitCode = exitCode;`,
  ];
}

/**
 * @param {string} script
 * @param {object} [options] of runChild
 * @param {string} [before] what the process runs first
 */
function startParent(script, options, before) {
  const [program = '', ...args] = parentCommand(script, options, before);
  const parent = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const exit = new Promise((resolve) => parent.once('close', (code) => resolve(code)));
  onTestFinished(() => void parent.kill('SIGKILL'));
  const lines = createInterface({ input: parent.stdout })[Symbol.asyncIterator]();
  return { parent, exit, nextLine: async () => (await lines.next()).value };
}

/**
 * Waits until it has exited. It may stay in /proc as a zombie until its new parent reaps it.
 * @param {number} pid
 */
async function hasEnded(pid) {
  while (existsSync(`/proc/${pid}`)) {
    if (/^State:\tZ/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))) break;
    await new Promise((resolve) => setImmediate(resolve));
  }
  return true;
}

const stayAlive = 'setInterval(() => {}, 1000);';

/**
 * For a process in which the start of a program takes until the program has written a file.
 * @param {string} file
 */
const startsUntil = (file) => `import childProcess from 'node:child_process';
  import { existsSync } from 'node:fs';
  import { syncBuiltinESMExports } from 'node:module';
  const { spawn } = childProcess;
  childProcess.spawn = (...call) => {
    const child = spawn(...call);
    while (!existsSync(${JSON.stringify(file)}));
    return child;
  };
  syncBuiltinESMExports();`;

describe('a child', () => {
  it('gives its exit code and its output', async () => {
    const { exit, nextLine } = startParent('console.log("hello"); process.exitCode = 78;');

    expect(await nextLine()).toBe('hello');
    expect(await nextLine()).toBeUndefined();
    expect(await exit).toBe(78);
  });

  it.each(['SIGINT', 'SIGTERM', 'SIGHUP'])(
    'gets %s once, however often it is sent',
    async (name) => {
      const signal = /** @type {NodeJS.Signals} */ (name);
      const { parent, exit, nextLine } = startParent(`
      let count = 0;
      process.on('${signal}', () => {
        count += 1;
        console.log('got it');
        setImmediate(() => process.exit(count));
      });
      ${stayAlive}
      console.log('ready');`);
      await nextLine();

      parent.kill(signal);
      parent.kill(signal);

      expect(await nextLine()).toBe('got it');
      expect(await exit).toBe(1);
    },
  );

  it('is ended the hard way by the second Ctrl-C of a person', async () => {
    const { parent, exit, nextLine } = startParent(
      `process.on('SIGINT', () => console.log('still busy'));
      ${stayAlive}
      console.log('ready');`,
      { patienceMs: 0 },
    );
    await nextLine();
    parent.kill('SIGINT');
    await nextLine();

    parent.kill('SIGINT');

    expect(await exit).toBe(128 + 9);
  });

  it('gets signals together with its own children when that is wanted', async () => {
    const { parent, exit, nextLine } = startParent(
      `const child = require('node:child_process').spawn(
        process.execPath, ['--eval', '${stayAlive} console.log(1)'], { stdio: ['ignore', 'pipe', 'ignore'] });
      child.stdout.once('data', () => console.log('ready'));
      child.once('exit', (code, signal) => console.log('child ended by ' + signal));
      process.on('SIGTERM', () => {});`,
      { passSignalsTo: 'group' },
    );
    await nextLine();

    parent.kill('SIGTERM');

    expect(await nextLine()).toBe('child ended by SIGTERM');
    expect(await exit).toBe(0);
  });

  it('is ended when npm is gone, even if its shell is not', async () => {
    const npm = spawn(
      process.execPath,
      [
        '--eval',
        `require('node:child_process').spawn('/bin/sh', process.argv.slice(1), { stdio: 'inherit' });`,
        '--',
        '-c',
        '"$0" "$@"; exit $?',
        ...parentCommand(`
          process.on('SIGTERM', () => { console.log('ends'); process.exit(0); });
          ${stayAlive}
          console.log('ready');`),
      ],
      {
        env: { ...process.env, npm_lifecycle_event: 'start' },
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    );
    const lines = createInterface({ input: npm.stdout })[Symbol.asyncIterator]();
    await lines.next();

    npm.kill('SIGKILL');

    expect((await lines.next()).value).toBe('ends');
  });

  it('takes with it what it leaves behind', async () => {
    const { exit, nextLine } = startParent(`
      const child = require('node:child_process').spawn(
        process.execPath, ['--eval', '${stayAlive}'], { stdio: 'ignore' });
      child.unref();
      console.log(child.pid);`);
    const grandchild = Number(await nextLine());

    expect(await exit).toBe(0);
    expect(await hasEnded(grandchild)).toBe(true);
  });

  it('that cannot be started is an error', async () => {
    const { runChild } = await import('./child.mjs');

    await expect(runChild('/no/such/program', [])).rejects.toThrow('ENOENT');
  });
});

it('a child gets a signal that comes while it starts', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'skolo-child-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const sent = join(folder, 'sent');
  const { exit, nextLine } = startParent(
    `process.on('SIGINT', () => { console.log('got it'); process.exit(1); });
    ${stayAlive}
    process.kill(process.ppid, 'SIGINT');
    require('node:fs').writeFileSync(${JSON.stringify(sent)}, '');`,
    {},
    startsUntil(sent),
  );

  expect(await nextLine()).toBe('got it');
  expect(await exit).toBe(1);
});
