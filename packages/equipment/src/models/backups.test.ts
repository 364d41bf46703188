/** The backups of all models with simulated equipment: whatever faults it has, a version has its exact content, or there is none. */
import { sessionOf } from '@skolo/simulators';
import { describe, expect, it } from 'vitest';
import { isSame } from './configuration/text.ts';
import { cases, isShown, isWholeOrNotAtAll, sit } from './testing/backup-faults.ts';
import { isMasked, stepsOf } from './testing/configurations.ts';
import { backUp, bytesOf } from './testing/simulated-device.ts';

describe.each(cases)('a backup of $name', (about) => {
  const { proof, backup } = about;

  it('is what the equipment shows, with its serial number and name', async () => {
    const sat = await sit(about);

    const { content, identity, startup, changedBy } = await backUp(sat.model, sat.connect());

    expect(await isShown(about, bytesOf(content), sat)).toBe(true);
    expect(identity).toEqual(backup.identity);
    expect(changedBy ?? '').toMatch(backup.changedBy ?? /^$/);
    if (!backup.tellsUnsaved) expect(startup).toBeUndefined();
    else expect(startup && (await isSame(bytesOf(content), startup, sat.model))).toBe(true);
    expect(sat.transcript.join('')).not.toMatch(/canary/);
  });

  isWholeOrNotAtAll(about, 'first');

  it.each(backup.incomplete ?? [])('is not %j', async (text, why) => {
    const { model } = await sit(about);

    expect(await model.incomplete({ bytes: Buffer.from(text) })).toContain(why);
  });

  const { masks } = backup;
  if (masks)
    it('shows none of its secrets once they are masked', async () => {
      const { device, model } = await sit(about);

      isMasked((backup.shows?.(device) ?? device.running()).toString(), model, masks);
    });

  const { replays } = proof;
  if (replays)
    it('is restored by the steps, which were typed in a session', async () => {
      const { configuration, dialect, begin, before = [] } = replays;
      const sitting = await sit(about, configuration);
      const typed = sessionOf(about.model).map((exchange) => exchange.typed);
      const cli = await sitting.connect().cli(dialect);

      const lines = stepsOf(sitting, sitting.device.running()).flatMap((step) => step.lines);
      for (const line of lines) await cli.run(line);

      const recorded = typed.slice(typed.lastIndexOf(begin));
      expect(lines.map((line) => line.trim())).toEqual([...before, ...recorded]);
    });
});
