/** What all checks share: the form of a result, and exit codes. */
import type { Finding } from '@skolo/base';
import { expect, it } from 'vitest';
import { SkoloCommand } from '../../command.ts';
import { CliError, failureOf } from '../../errors.ts';
import { runCommand } from '../../testing/run-command.ts';
import { testIo } from '../../testing/test-io.ts';
import { type CheckResult, defineCheck } from './check.ts';

async function run(work: () => Promise<CheckResult | undefined>, ...args: string[]) {
  const printed: string[] = [];
  const io = testIo({ out: (text) => printed.push(text) });
  const command = new SkoloCommand('rack', io);
  defineCheck(command, work);
  await command.parseAsync(args, { from: 'user' });
  return { out: printed.join('\n'), exitCode: io.exitCode };
}

const ok: Finding = { thing: 'clock', state: 'ok', found: '' };
const version: Finding = { thing: 'version', state: 'ok', found: 'v1', where: ['pi-1', 'pi-2'] };
const differs: Finding = {
  ...{ thing: 'outlet 1', state: 'differs', found: 'off', expected: 'on' },
  advice: 'turn it on',
};
const unchecked: Finding = { thing: 'switch-1', state: 'unchecked', found: 'is off' };
const warning: Finding = { thing: 'swap', state: 'warning', found: '1 MiB \u001b[31mred' };
const skipped: Finding = { thing: 'sensor', state: 'skipped', found: 'there is none' };

it('prints problems first, and counts what matches', async () => {
  const findings = [ok, version, warning, skipped, unchecked, differs];

  const { out } = await run(async () => ({
    name: 'rack4',
    about: ['3 pieces of equipment'],
    findings,
  }));

  expect(out.split('\n')).toEqual([
    'outlet 1: off; expected on; turn it on',
    'switch-1: not checked: is off',
    'swap: warning: 1 MiB red',
    'sensor: skipped: there is none',
    'version (pi-[1-2]): ok: v1',
    'rack4: 3 pieces of equipment, 1 problem, 1 not checked, 1 warning, 2 ok',
  ]);
});

it('prints all of it as JSON', async () => {
  const details = { devices: [{ device: 'pdu-1' }] };

  const { out } = await run(
    async () => ({ name: 'rack4', findings: [ok, differs], details }),
    '--json',
  );

  const expected = { check: 'rack', name: 'rack4', findings: [ok, differs], ...details };
  expect(JSON.parse(out)).toEqual(expected);
});

it.each([
  ['nothing', [], 0],
  ['what matches', [ok, warning, skipped], 0],
  ['a difference', [ok, differs], 1],
  ['what could not be checked, whatever differs', [differs, unchecked, ok], 3],
])('exits after %s as it should', async (_, findings, exitCode) => {
  expect(await run(async () => ({ name: 'rack4', findings }))).toMatchObject({ exitCode });
});

it.each([
  ['cannot look', new CliError('rack4: unreachable'), 3],
  ['has a wrong command line', new CliError('no such rack', 2), 2],
  ['has an invalid rack.yaml', new CliError('invalid', 78), 78],
])('exits if it %s as it should', async (_, error, exitCode) => {
  const failed = await run(() => Promise.reject(error)).catch(failureOf);

  expect(failed).toEqual({ exitCode, lines: [`skolo: ${error.message}`] });
});

it.each([
  [['pi', 'kubernetes', 'verify', '--help'], 'check cluster'],
  [['--rack', 'x', 'pi', 'kubernetes', '--help', 'verify'], 'check cluster'],
  [['help', 'pi', 'kubernetes', 'verify'], 'check'],
])('%j is a former name', async (args, shown) => {
  const { out, err, exitCode } = await runCommand(args);

  expect(out).toMatch(new RegExp(`^Usage: skolo ${shown} `));
  expect({ err, exitCode }).toEqual({
    err: 'skolo: skolo pi kubernetes verify is now skolo check cluster; the old name works until the next version\n',
    exitCode: 0,
  });
});

it.each([[['--cluster', 'pis']], [['--cluster=pis']]])(
  'an option of a former name becomes an argument: %j',
  async (option) => {
    const files = ['--clusters', '/nowhere.json'];
    const former = await runCommand(['pi', 'testbed', 'verify', ...option, ...files]);
    const now = await runCommand(['check', 'testbed', 'pis', ...files]);

    expect(now).toMatchObject({ out: '', exitCode: 78 });
    expect(former.err.split('\n').slice(1).join('\n')).toBe(now.err);
  },
);
