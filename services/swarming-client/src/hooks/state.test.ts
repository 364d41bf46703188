import { runs } from '@skolo/base/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { stateFor } from './state.ts';
import { anyView, phone, reason, viewWith } from './testing/views.ts';

const since = new Date(0);
const given = {
  disks: { '/': { free_mb: 900, size_mb: 1000 } },
  running_time: 12.5,
  cost_usd_hour: 0.1,
};

describe('stateFor', () => {
  it('returns everything, and adds the rack', () => {
    expect(stateFor(given, viewWith())).toEqual({ ...given, sk_rack: 'rack4' });
  });

  it('has what is known of each device, as the pages of Swarming show it', () => {
    expect(stateFor(given, viewWith({ devices: [phone()] }))).toEqual({
      ...given,
      sk_rack: 'rack4',
      devices: {
        R58M1: {
          name: 'device',
          kind: 'android',
          state: 'available',
          since: '2026-01-02T03:04:05.000Z',
          read_at: '2026-01-02T03:04:05.000Z',
          temp: { battery: 24.5, cpu0: 31 },
          battery: { level: 83 },
          thermal_status: 0,
          uptime: 3600,
        },
      },
    });
  });

  it('has both devices with one serial number', () => {
    const devices = [phone({ name: 'left' }), phone({ name: 'right' })];

    expect(Object.keys(stateFor({}, viewWith({ devices })).devices ?? {})).toEqual([
      'left',
      'right',
    ]);
  });

  it('has the reason why a device is missing', () => {
    const gone = phone({ state: 'missing', why: 'offline' });

    expect(stateFor({}, viewWith({ devices: [gone] })).devices).toMatchObject({
      R58M1: { state: 'missing', why: 'offline' },
    });
  });

  it.each([
    ['recovering', 'maintenance'],
    ['maintenance', 'maintenance'],
    ['quarantined', 'quarantined'],
  ] as const)('says %s as %s', (verdict, key) => {
    const health = { verdict, since, reasons: [reason(verdict, 'too hot: 41 °C', 'device')] };

    expect(stateFor({}, viewWith({ health }))).toEqual({
      sk_rack: 'rack4',
      [key]: 'device: too hot: 41 °C',
    });
  });

  it('has both where both apply', () => {
    const reasons = [
      reason('quarantined', 'gone', 'left'),
      reason('recovering', 'battery low: 12%', 'right'),
      reason('maintenance', 'held by ann: new cable'),
    ];
    const state = stateFor({}, viewWith({ health: { verdict: 'quarantined', since, reasons } }));

    expect(Object.entries(state).slice(-2)).toEqual([
      ['quarantined', 'left: gone'],
      ['maintenance', 'right: battery low: 12%; held by ann: new cable'],
    ]);
  });

  it.each([true, false, '', 'old text', 1, ['x'], {}])('drops what it said before: %j', (said) => {
    const state = stateFor({ quarantined: said, maintenance: said }, viewWith());

    expect(state).toEqual({ sk_rack: 'rack4' });
  });

  it('is not known yet before rack.yaml is', () => {
    const view = viewWith({
      machinePart: undefined,
      whyUnknown: 'the metadata server is not responding',
    });

    expect(stateFor({}, view)).toEqual({
      maintenance:
        "this machine's entry in rack.yaml is not known yet: the metadata server is not responding",
    });
  });

  it('is not known yet before the first reading, and reports that once', () => {
    const { reading: _, ...unread } = phone({ state: 'unknown' });
    const reasons = [reason('maintenance', 'not checked', 'device', 'not-known')];
    const health = { verdict: 'maintenance' as const, since, reasons };

    const early = stateFor({}, viewWith({ devices: [unread] }));
    const later = stateFor({}, viewWith({ devices: [unread], health }));

    expect(early.maintenance).toBe('the state of device is not known yet');
    expect(later.maintenance).toBe('device: not checked');
    expect(JSON.stringify([early, later])).not.toContain('missing');
  });

  it('is not known yet, whatever the words of another reason', () => {
    const reasons = [reason('maintenance', 'held by ann: fault not known yet')];
    const health = { verdict: 'maintenance' as const, since, reasons };

    const state = stateFor({}, viewWith({ devices: [phone({ state: 'unknown' })], health }));

    expect(state.maintenance).toBe(
      'the state of device is not known yet; held by ann: fault not known yet',
    );
  });

  it('gives back what was given, and its own two as text or not at all', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), anyView, (more, view) => {
        const state: Record<string, unknown> = JSON.parse(JSON.stringify(stateFor(more, view)));

        for (const [key, value] of Object.entries(JSON.parse(JSON.stringify(more)))) {
          if (!['quarantined', 'maintenance', 'sk_rack', 'devices'].includes(key)) {
            expect(Object.getOwnPropertyDescriptor(state, key)?.value).toEqual(value);
          }
        }
        for (const key of ['quarantined', 'maintenance']) {
          if (Object.hasOwn(state, key)) expect(state[key]).toMatch(/\S/);
        }
      }),
      runs(500),
    );
  });

  it('takes no tasks whenever something is wrong or not known', () => {
    fc.assert(
      fc.property(anyView, (view) => {
        const state = stateFor({}, view);
        const isWell =
          view.machinePart !== undefined &&
          view.health.verdict === 'ok' &&
          view.health.reasons.every(({ text }) => text.trim() === '') &&
          view.devices.every(({ state }) => state !== 'unknown');

        if (view.health.verdict === 'quarantined') expect(state.quarantined).toMatch(/\S/);
        if (!isWell) expect(`${state.quarantined ?? ''}${state.maintenance ?? ''}`).toMatch(/\S/);
      }),
      runs(500),
    );
  });
});
