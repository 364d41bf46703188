import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { tempDir } from '@skolo/base/testing';
import { fakeClock } from '@skolo/common/testing';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Health, Reason } from '../health/health.ts';
import { quietLog } from '../testing/quiet-log.ts';
import { Evidence, type EvidenceDeps } from './evidence.ts';

const noon = new Date('2026-11-20T12:00:00Z');

async function start(differently: Partial<EvidenceDeps> = {}, bytes = 100) {
  const stateDir = await tempDir();
  const clock = fakeClock(noon.getTime());
  const evidence = new Evidence({
    stateDir,
    wanted: () => true,
    device: () => ({
      async writeEvidence(folder) {
        await writeFile(join(folder, 'screen.png'), Buffer.alloc(bytes));
        return ['screen.png'];
      },
    }),
    clock,
    log: quietLog(),
    ...differently,
  });
  onTestFinished(() => evidence.stop());
  const kept = async (device = 'phone') =>
    (await readdir(join(stateDir, 'evidence', device)).catch(() => [])).sort();
  /** Sick and well again, each eleven minutes after the last time. */
  const fall = async (device = 'phone') => {
    await evidence.collect(unhealthy({ device }));
    await evidence.collect(well);
    clock.pass(11 * 60_000);
  };
  return { stateDir, clock, evidence, kept, fall };
}

function unhealthy(differently: Partial<Reason> = {}): Health {
  const reason: Reason = {
    verdict: 'recovering',
    code: 'battery-low',
    text: 'battery low: 12%',
    since: noon,
    device: 'phone',
    ...differently,
  };
  return { verdict: reason.verdict, since: noon, reasons: [reason] };
}

const well: Health = { verdict: 'ok', since: noon, reasons: [] };

describe('evidence', () => {
  it('is kept when a phone stops to be well, with why', async () => {
    const { evidence, kept, stateDir } = await start();

    await evidence.collect(well);
    await evidence.collect(unhealthy());

    const [folder = ''] = await kept();
    const path = join(stateDir, 'evidence', 'phone', folder);
    expect(folder).toBe('000001-20261120T120000Z');
    expect((await readdir(path)).sort()).toEqual(['screen.png', 'why.txt']);
    expect(await readFile(join(path, 'why.txt'), 'utf8')).toBe(
      '2026-11-20T12:00:00.000Z battery low: 12%\n',
    );
  });

  it('is kept once while it stays so, and not again at once', async () => {
    const { evidence, kept, clock } = await start();

    for (const health of [unhealthy(), unhealthy({ code: 'missing' }), well, unhealthy()]) {
      await evidence.collect(health);
      clock.pass(60_000);
    }

    expect(await kept()).toHaveLength(1);
  });

  it.each([
    unhealthy({ verdict: 'maintenance', code: 'rebooting' }),
    unhealthy({ verdict: 'maintenance', code: 'held:phone:ann' }),
    unhealthy({ verdict: 'maintenance', code: 'not-known' }),
  ])('is not kept of what is meant to be so: $reasons.0.code', async (health) => {
    const { evidence, kept } = await start();

    await evidence.collect(health);

    expect(await kept()).toEqual([]);
  });

  it('is not kept where it is not wanted', async () => {
    const { evidence, kept } = await start({ wanted: () => false });

    await evidence.collect(unhealthy());

    expect(await kept()).toEqual([]);
  });

  it('is the newest five, also with a wrong clock', async () => {
    const { kept, fall, clock } = await start();
    for (let time = 0; time < 6; time += 1) await fall();
    clock.setWall(0);

    await fall();

    const names = await kept();
    const numbers = names.map((name) => name.slice(0, 6));
    expect(numbers).toEqual(['000003', '000004', '000005', '000006', '000007']);
    expect(names.at(-1)).toBe('000007-19700101T000000Z');
  });

  it('never takes more space than allowed, of all phones together', async () => {
    const { kept, fall } = await start({ most: { perDevice: 5, bytes: 3500 } }, 1000);

    for (const device of ['left', 'right', 'left', 'right', 'left', 'right']) await fall(device);

    expect([...(await kept('left')), ...(await kept('right'))]).toHaveLength(3);
  });

  it.each([
    { title: 'fails', keepEvidence: () => Promise.reject(new Error('device offline')) },
    { title: 'gives none', keepEvidence: async () => [] },
  ])('leaves nothing where the phone $title', async ({ keepEvidence }) => {
    const { evidence, kept } = await start({ device: () => ({ writeEvidence: keepEvidence }) });

    await evidence.collect(unhealthy());

    expect(await kept()).toEqual([]);
  });

  it('is not waited for when the agent stops', async () => {
    let ended = false;
    const { evidence, kept } = await start({
      device: () => ({
        writeEvidence: (_folder, signal) =>
          new Promise((_resolve, reject) => {
            signal.addEventListener('abort', () => {
              ended = true;
              reject(signal.reason);
            });
          }),
      }),
    });
    const keeping = evidence.collect(unhealthy());
    await expect.poll(() => kept()).toHaveLength(1);

    await evidence.stop();
    await keeping;

    expect([ended, await kept()]).toEqual([true, []]);
  });
});
