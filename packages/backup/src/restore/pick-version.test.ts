import { BackupError } from '@skolo/equipment/models/configuration';
import { describe, expect, it } from 'vitest';
import { pickVersion, unusable } from './pick-version.ts';

const days = [20, 19, 18, 17];
const versions = days.map((day) => ({
  id: `v${day}${'0'.repeat(8)}`,
  device: 'router',
  time: `2026-11-${day}T03:00:00Z`,
}));

/** @param unusable days, with the code of their error */
async function picked(
  wanted: string,
  unusable: Readonly<Record<number, BackupError['code']>>,
  passes: readonly BackupError['code'][] = ['unauthenticated', 'damaged'],
) {
  const passed: string[] = [];
  const dayOf = (time: string) => Number(time.slice(8, 10));
  const { content } = await pickVersion(versions, {
    wanted,
    passes,
    async read({ time }) {
      const code = unusable[dayOf(time)];
      if (code !== undefined) throw new BackupError(code, `${dayOf(time)} is ${code}`);
      return dayOf(time);
    },
    onPass: ({ message }) => passed.push(message),
  });
  return [content, passed];
}

describe('pickVersion', () => {
  const forged = { 20: 'unauthenticated', 18: 'damaged' } as const;

  it.each([
    ['latest', 19, ['20 is unauthenticated']],
    ['latest~2', 17, ['18 is damaged']],
    ['2026-11-19', 19, []],
    ['2026-11-20', 19, ['20 is unauthenticated']],
    ['2026-11-18T23:00:00+14:00', 17, ['18 is damaged']],
    ['v17', 17, []],
  ])('is a version that can be used: %s', async (wanted, day, passed) => {
    expect(await picked(wanted.padEnd(wanted.startsWith('v') ? 11 : 0, '0'), forged)).toEqual([
      day,
      passed,
    ]);
  });

  it.each(unusable)('passes a copy that anyone may have made so: %s', async (code) => {
    const reasons = [`20 is ${code}`, `19 is ${code}`];
    expect(await picked('latest', { 20: code, 19: code }, unusable)).toEqual([18, reasons]);
  });

  it.each(['unreachable', 'storage'] as const)(
    'does not pass a failure of place or disk: %s',
    async (code) => {
      await expect(picked('latest', { 20: code }, unusable)).rejects.toMatchObject({ code });
    },
  );

  it('reads the version that a person has named, or fails', async () => {
    for (const wanted of ['v2000000000', 'v20000']) {
      await expect(picked(wanted, forged)).rejects.toThrow('20 is unauthenticated');
    }
  });

  it('fails with the reason of the newest if none can be used', async () => {
    const all = { 20: 'unauthenticated', 19: 'damaged', 18: 'damaged', 17: 'damaged' } as const;

    await expect(picked('latest', all)).rejects.toThrow('20 is unauthenticated');
  });

  it('passes no version for any other reason', async () => {
    await expect(picked('latest', { 20: 'unreachable' })).rejects.toThrow('20 is unreachable');
    await expect(picked('latest', { 20: 'damaged' }, [])).rejects.toThrow('20 is damaged');
    expect(await picked('latest~1', { 20: 'damaged' }, [])).toEqual([19, []]);
    await expect(picked('latest~9', {})).rejects.toThrow('latest~9 does not exist');
  });
});
