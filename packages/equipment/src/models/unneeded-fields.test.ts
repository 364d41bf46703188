/**
 * Only the outlet's own state decides: whatever the other parts of an answer are, the outlet is read, turned off and turned on. What its
 * device does not answer cannot keep it off.
 */
import { runs } from '@skolo/base/testing';
import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { models } from './index.ts';
import { openDriver, patient } from './testing/outlets.ts';
import type { AnsweringDevice } from './testing/proof.ts';
import { answeringDevices } from './testing/proofs.ts';
import { anyChanges, type Change, changed } from './testing/unneeded/changes.ts';
import { serve } from './testing/unneeded/transports.ts';

/** A driver of the device, which answers with these changes, or with nothing that makes sense. */
async function start(model: string, about: AnsweringDevice) {
  const { options = {}, answers } = about;
  const { power } = models.get(model) ?? {};
  if (power === undefined) throw new Error(`${model} does not switch power`);
  let changes: readonly Change[] = [];
  let isSenseless = false;
  const device = await serve(about, (request) => {
    const found = Object.entries(answers).find(([part]) => request.includes(part));
    if (found === undefined) return undefined;
    if (isSenseless) return 'nothing';
    const [says, ...own] = found[1];
    return changes.reduce((answer, change) => changed(answer, own, change), structuredClone(says));
  });
  await device.refresh?.();
  const { outlets } = await power.load();
  const driver = openDriver(outlets, { ...device.place, options });
  return {
    driver,
    received: device.received,
    async change(all: readonly Change[]) {
      changes = all;
      await device.refresh?.();
    },
    async makeSenseless() {
      isSenseless = true;
      await device.refresh?.();
    },
  };
}

describe.each(answeringDevices)('$model over $device.over', ({ model, device }) => {
  const { outlet, beside, on, off, onByDefault = on, staysOff } = device;
  const both = beside === undefined ? [outlet] : [outlet, beside];

  it('is read and switched, whatever the rest of its answers is', async () => {
    const { driver, received, change } = await start(model, device);
    const before = (await driver.read([outlet], patient())).get(outlet);
    expect(before?.state).toBe('on');
    const isTold = (from: number, part: string) =>
      received()
        .slice(from)
        .some((asked) => asked.includes(part));

    await fc.assert(
      fc.asyncProperty(anyChanges, async (changes) => {
        await change(changes);
        const from = received().length;

        const readings = await driver.read(both, patient());
        await driver.turnOff(outlet, patient());
        await driver.turnOn(outlet, { mode: before?.mode, via: before?.via }, patient());

        expect(readings.get(outlet)?.state).toBe('on');
        expect([isTold(from, off), isTold(from, on)]).toEqual([true, true]);
      }),
      runs(40),
    );
  });

  it('is turned on although nothing can be read, with and without a record', async () => {
    const { driver, received, makeSenseless } = await start(model, device);
    const { mode, via } = (await driver.read([outlet], patient())).get(outlet) ?? {};
    await makeSenseless();
    const turnedOn = async (part: string, known?: string, place?: string) => {
      const from = received().length;
      // Without an answer, it fails later.
      driver.turnOn(outlet, { mode: known, via: place }, patient()).catch(() => undefined);
      await vi.waitFor(() => expect(received().slice(from).join('\n')).toContain(part));
    };

    await turnedOn(on, mode, via);
    if (staysOff === undefined) await turnedOn(onByDefault);
    else await expect(driver.turnOn(outlet, {}, patient())).rejects.toThrow(staysOff);
  });
});

const reports = answeringDevices.flatMap(({ device: { alsoReads = [], ...device }, model }) =>
  alsoReads.map((report) => ({ ...report, model, device })),
);

it.each(reports)(
  '$what does not prevent turning an outlet of $model on',
  async ({ answers, as, model, device }) => {
    const { driver, received } = await start(model, {
      ...device,
      answers: { ...device.answers, ...answers },
    });

    const seen = (await driver.read([device.outlet], patient())).get(device.outlet);
    await driver.turnOn(device.outlet, { via: seen?.via }, patient());

    expect(seen).toMatchObject(as);
    expect(received().some((asked) => asked.includes(device.on))).toBe(true);
  },
);
