import { DeviceRejected } from '@skolo/equipment/transports';
import { describe, expect, it } from 'vitest';
import type { Shell } from '../families/command-line/session.ts';
import { readSwctrl, restartSwctrl, setSwctrl } from './unifi-switch.ts';

function table(...rows: string[]): string {
  return [
    'Total Power Limit(mW): 45000',
    '',
    'Port  OpMode      HpMode    PwrLimit   Class   PoEPwr  PwrGood  Power(W)  Voltage(V)  Current(mA)',
    '                              (mW)                                                               ',
    '----  ------  ------------  --------  -------  ------  -------  --------  ----------  -----------',
    ...rows,
    '',
  ].join('\n');
}

// Two rows of a USW-Lite-16, whose ports were 6 and 2: devwithimagination.com, 2022-08-07.
const one =
  '   1    Auto        Dot3at     32000  Class 4      On     Good      6.81       53.24       128.00';
const two =
  '   2    Auto        Dot3at     32000  Unknown     Off      Bad      0.00        0.00         0.00';
const off =
  '   2     Off        Dot3at     32000  Unknown     Off      Bad      0.00        0.00         0.00';
const passive =
  '   3  Pasv24        Dot3at     32000  Unknown      On     Good      3.10       24.00       129.00';
const allOff = one.replace('  Auto', '   Off');

/** Answers `show` with these in turn, and everything else with nothing. */
function answering(...shown: string[]) {
  const commands: string[] = [];
  const shell: Shell = {
    device: 'switch-1',
    async exec(command) {
      commands.push(command);
      const stdout = command.endsWith(' show') ? (shown.shift() ?? '') : '';
      return { stdout, stderr: '', status: 0 };
    },
  };
  return { shell, commands };
}

describe('swctrl', () => {
  it('is read from the right, since a class may be two words', async () => {
    const { shell } = answering(table(one, two, passive));

    const readingOf = await readSwctrl(shell);

    expect([1, 2, 3].map(readingOf)).toEqual([
      { state: 'on', delivering: true, watts: 6.81, mode: 'auto' },
      { state: 'on', delivering: false, watts: 0, mode: 'auto' },
      { state: 'on', delivering: true, watts: 3.1, mode: 'pasv24' },
    ]);
  });

  it('is believed when only that port changed', async () => {
    const { shell, commands } = answering(table(one, two), table(one, off));

    await setSwctrl(shell, 2, 'off');

    expect(commands).toEqual(['swctrl poe show', 'swctrl poe set off id 2', 'swctrl poe show']);
  });

  it.each([
    ['turned off', (shell: Shell) => setSwctrl(shell, 2, 'off')],
    ['restarted', (shell: Shell) => restartSwctrl(shell, 2)],
  ])('tells that other ports changed when one was %s', async (_what, act) => {
    const { shell } = answering(table(one, two), table(allOff, off));

    await expect(act(shell)).rejects.toThrow(
      'switch-1: changing port 2 also changed other ports: 1; check these ports',
    );
  });

  it('does not turn off a port that it could not turn on as it was', async () => {
    const { shell, commands } = answering(table(one, two, passive));

    await expect(setSwctrl(shell, 3, 'off')).rejects.toThrow(
      'switch-1: port 3 is set to pasv24; skolo could not restore this mode after turning the port off; power-cycle the port instead',
    );

    expect(commands).toEqual(['swctrl poe show']);
  });

  it('is believed for what is set, without what later columns lack', async () => {
    const { shell } = answering(table(one).slice(0, -30));

    expect((await readSwctrl(shell))(1)).toEqual({ state: 'on', mode: 'auto' });
  });

  it.each([
    ['nothing', ''],
    ['a row that is garbled', table(one.replace('Auto', '\x7f\x01'))],
    ['other ports', table(two)],
  ])('is not believed when it tells %s', async (_what, shown) => {
    const { shell } = answering(shown);

    const read = readSwctrl(shell).then((readingOf) => readingOf(1));

    await expect(read).rejects.toThrow(DeviceRejected);
  });
});
