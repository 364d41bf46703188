import { expect, it } from 'vitest';
import { exitCodes } from '../../errors.ts';
import { runCommand } from '../../testing/run-command.ts';

it.each([
  [['--offline'], '--offline: specify a rack'],
  [['--install-hook', 'rack4'], '--install-hook: specify neither a rack nor --offline'],
  [['--install-hook', '--offline'], '--install-hook: specify neither a rack nor --offline'],
])('skolo check secrets %j is not read as less', async (args, problem) => {
  const { err, exitCode } = await runCommand(['check', 'secrets', ...args]);

  expect([exitCode, err]).toEqual([exitCodes.wrongCommandLine, expect.stringContaining(problem)]);
});
