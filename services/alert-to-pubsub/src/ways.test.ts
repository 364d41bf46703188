/** The sinks of rack.yaml, as they come, go, and are away. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fakeClock } from '@skolo/common/testing';
import { describe, expect, it } from 'vitest';
import { type Lab, startLab } from './testing/lab.ts';

const arrivedNames = (lab: Lab) => lab.arrived().map(({ attributes }) => attributes.alertname);

describe('a sink', () => {
  it('that may lose messages holds up nobody, however long it is away', async () => {
    const clock = fakeClock(Date.now());
    const lab = await startLab({
      clock,
      settings: `spool: { maxAgeHours: 1 }
sinks: [{ name: pagers, kind: http, url: "http://127.0.0.1:1/", dropWhenFull: true }]`,
    });
    await lab.post({ labels: { alertname: 'A' } });
    await expect.poll(() => arrivedNames(lab)).toEqual(['A']);
    clock.pass(2 * 3_600_000);

    await expect
      .poll(async () => (await lab.post({ labels: { alertname: 'B' } })).status)
      .toBe(200);
    await expect.poll(() => arrivedNames(lab)).toContain('B');
    expect(lab.logged()).toContainEqual(expect.objectContaining({ msg: 'messages dropped' }));
  });
});
