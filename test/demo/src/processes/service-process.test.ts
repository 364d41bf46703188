import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { isRunning } from '../testing/processes.ts';
import { newFolder } from '../testing/run-demo.ts';
import { Guard } from './guard.ts';
import { EndedAtOnce, ServiceProcess } from './service-process.ts';

const listening = `console.log(JSON.stringify({ msg: 'listening', port: 7, pid: process.pid }));`;

/** A service that is this script. */
async function service(script: string) {
  const dir = await newFolder();
  const file = join(dir, 'service.mjs');
  await writeFile(file, script);
  const lines: string[] = [];
  const printed: string[] = [];
  const process = new ServiceProcess({
    name: 'example',
    args: [file],
    cwd: dir,
    // Not started: the service ends with the test.
    guard: new Guard(),
    onLine: (line) => lines.push(line),
    print: (text) => printed.push(text),
    stopWithin: async () => 0,
  });
  onTestFinished(async () => {
    process.kill();
    await process.stop();
  });
  return { process, lines, printed };
}

describe('ServiceProcess', () => {
  it('returns the port, and passes on every line', async () => {
    const { process, lines } = await service(
      `console.error('on stderr'); ${listening} setInterval(() => {}, 1000);`,
    );

    expect(await process.start()).toBe(7);
    await process.stop();

    expect(lines).toEqual(
      expect.arrayContaining(['on stderr', expect.stringContaining('listening')]),
    );
  });

  it.each([
    ['process.exit(78)', 'exit code 78', 78],
    ['process.exit(0)', 'exit code 0', 1],
    ["process.kill(process.pid, 'SIGKILL')", 'SIGKILL', 137],
  ])('reports that a service ended before it served: %s', async (script, text, exitCode) => {
    const { process } = await service(script);

    const ended = await process.start().catch((error: unknown) => error);

    expect(ended).toBeInstanceOf(EndedAtOnce);
    expect(ended).toMatchObject({
      message: `example ended before it served (${text})`,
      exitCode,
    });
  });

  it.each([
    ['cannot listen', true],
    ['start failed', false],
  ])('reports whether it had no port: %s', async (msg, hadNoPort) => {
    const line = JSON.stringify({ level: 'fatal', msg });
    const { process } = await service(`console.log('${line}'); process.exitCode = 1;`);

    await expect(process.start()).rejects.toMatchObject({ exitCode: 1, hadNoPort });
  });

  it('kills a service that does not end', async () => {
    const { process, lines, printed } = await service(
      `process.on('SIGTERM', () => {}); ${listening} setInterval(() => {}, 1000);`,
    );
    await process.start();

    await process.stop();

    expect(await isRunning(JSON.parse(lines[0] ?? '').pid)).toBe(false);
    expect(printed).toEqual(['example did not end within 2 s: killed']);
  });

  it('ends processes that a service leaves behind', async () => {
    const { process, lines } = await service(
      `import { spawn } from 'node:child_process';
      const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
      console.log(child.pid); ${listening}`,
    );
    await process.start();

    await process.stop();

    await expect.poll(() => isRunning(Number(lines[0]))).toBe(false);
  });
});
