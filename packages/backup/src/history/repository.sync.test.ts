import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from '@skolo/base/testing';
import { peer } from '@skolo/simulators';
import { beforeEach, expect, it } from 'vitest';
import { TestHistory } from '../testing/history.ts';

let history: TestHistory;

beforeEach(async () => {
  history = await TestHistory.make();
});

// A kill does not lose data in the kernel, so this checks the system calls.
it('has synced all that it acknowledges, files before they get their names', async ({ skip }) => {
  const log = join(history.parent, 'calls');
  const strace = ['-f', '-qq', '-y', '-s', '200', '-e', 'trace=fsync,link,rename,write', '-o', log];
  const program = peer('strace');
  if (program === undefined) return skip('strace is not installed');
  await run(program, ['-qq', '-o', log, 'true']).catch(() => skip('may not trace here'));
  await (await history.open()).close();

  const writer = join(import.meta.dirname, '../testing/repository-writer.ts');
  await run(program, [...strace, process.execPath, writer, history.folder, '1', '1']);

  const calls = (await readFile(log, 'utf8')).split('\n');
  const acknowledged = calls.findIndex((call) => /write\(1<.*"router 1 [0-9a-f]{40}/.test(call));
  const before = calls.slice(
    calls.findIndex((call) => /write\(1<.*"open/.test(call)),
    acknowledged,
  );
  expect(acknowledged).toBeGreaterThan(0);
  // strace may print the end of a call on a separate line.
  const steps = [
    /fsync\(\d+<.*objects\/pack\/tmp_pack_\w+>/,
    /fsync\(\d+<.*objects\/pack\/tmp_idx_\w+>/,
    /(?:link|rename)\(".*tmp_pack_\w+", ".*\.pack"/,
    /(?:link|rename)\(".*tmp_idx_\w+", ".*\.idx"/,
    /fsync\(\d+<.*refs\/heads\/main\.lock>/,
    /rename\(".*main\.lock", ".*refs\/heads\/main"/,
  ].map((step) => before.findIndex((call) => step.test(call)));
  expect(steps).toEqual([...steps].sort((a, b) => a - b));
  expect(steps[0]).toBeGreaterThan(0);
  const behind = before.slice(steps.at(-1)).join('\n');
  expect(behind).toMatch(/fsync\(\d+<.*objects\/pack>/);
  expect(behind).toMatch(/fsync\(\d+<.*refs\/heads>/);
});
