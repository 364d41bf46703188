import { runs } from '@skolo/base/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { DeviceView } from '../devices/device.ts';
import { assess } from './assess.ts';
import {
  type Health,
  type HealthFacts,
  type HealthSettings,
  healthText,
  type Ordered,
  verdicts,
} from './health.ts';
import { facts, gone, minutes, noon, phone, settings } from './testing/facts.ts';

/** The verdict after each of the looks, one a minute. */
function verdictsOf(looks: Partial<HealthFacts>[], given: HealthSettings = settings): string[] {
  let health: Health | undefined;
  return looks.map((look, index) => {
    health = assess(health, facts({ now: minutes(index), ...look }), given);
    return health.verdict;
  });
}

/** At the first look. */
const assessed = (known?: Partial<HealthFacts>) => assess(undefined, facts(known), settings);

function withPhone(view: DeviceView): Partial<HealthFacts> {
  return { devices: [view] };
}

const charged = (percents: number[]) =>
  percents.map((batteryPercent) => withPhone(phone({ batteryPercent })));
const heated = (degrees: number[]) =>
  degrees.map((celsius) => withPhone(phone({ temperatures: { battery: celsius } })));

const order = (kind: Ordered['kind'], by = 'ann'): Ordered => {
  return { kind, by, reason: 'new cable', since: noon };
};

describe('a machine', () => {
  it('is well while there is no reason against it', () => {
    const health = assessed({ devices: [phone({ batteryPercent: 80 })] });

    expect(health).toEqual({ verdict: 'ok', since: noon, reasons: [] });
  });

  it.each([
    {
      title: 'in maintenance',
      look: { orders: [order('maintenance')] },
      is: 'maintenance',
    },
    {
      title: 'unknown',
      look: { notReady: 'not known yet: no metadata server' },
      is: 'maintenance',
    },
    { title: 'stopping', look: { stopping: true }, is: 'maintenance' },
    { title: 'to restart its bot', look: { botRestart: 'settings' }, is: 'maintenance' },
    {
      title: 'quarantined by a file',
      look: { orders: [order('quarantine')] },
      is: 'quarantined',
    },
    { title: 'full', look: { host: { disk: { freeBytes: 4, sizeBytes: 100 } } }, is: 'recovering' },
    { title: 'hot', look: { host: { celsius: 81 } }, is: 'recovering' },
    { title: 'short of power', look: { host: { isUnderVoltage: true } }, is: 'recovering' },
    { title: 'slowed down', look: { host: { isThrottled: true } }, is: 'recovering' },
    { title: 'late', look: { host: { clockOffsetSeconds: -11 } }, is: 'quarantined' },
    { title: 'early', look: { host: { clockOffsetSeconds: 11 } }, is: 'quarantined' },
  ])('that is $title is $is', ({ look, is }) => {
    expect(verdictsOf([look, {}])).toEqual([is, 'ok']);
  });

  it.each([{ disk: { freeBytes: 4, sizeBytes: 100 } }, { celsius: 81 }])(
    'has a reason until its end was seen: %j',
    (host) => {
      const looks = [{ host }, { host: {} }, { host: {} }];

      expect(verdictsOf(looks)).toEqual(['recovering', 'recovering', 'recovering']);
      expect(verdictsOf([{ host: {} }])).toEqual(['ok']);
    },
  );

  it('is held until the when the hold ends, and names who holds it', () => {
    const hold = { target: 'rpi-1', by: 'ann', until: minutes(2), reason: 'new cable' };

    const verdicts = verdictsOf([{ holds: [hold] }, { holds: [hold] }, { holds: [hold] }]);
    const health = assessed({ holds: [hold] });

    expect(verdicts).toEqual(['maintenance', 'maintenance', 'ok']);
    expect(healthText(health)).toBe('held by ann until 2026-11-20T12:02Z: new cable');
  });

  it('has one reason for all orders of a kind', () => {
    const until = minutes(30);
    const orders = [order('quarantine'), { ...order('quarantine', 'bob'), until }];

    const { reasons } = assessed({ now: minutes(1), orders });

    const text =
      'quarantined by ann: new cable; quarantined by bob until 2026-11-20T12:30Z: new cable';
    expect(reasons).toEqual([{ verdict: 'quarantined', code: 'forced', text, since: noon }]);
  });

  it('reports a hold on its phone with the phone', () => {
    const hold = { target: 'rpi-1-phone', by: 'ann', until: minutes(2), reason: 'new screen' };

    const { reasons } = assess(
      undefined,
      facts({ ...withPhone(phone()), holds: [hold] }),
      settings,
    );

    expect(reasons).toMatchObject([{ device: 'phone', verdict: 'maintenance' }]);
  });

  it('has the worst reason first', () => {
    const devices = [phone({ batteryPercent: 3 }), { ...gone(), name: 'other' }];

    const { verdict, reasons } = assessed({ devices, stopping: true });

    expect(verdict).toBe('quarantined');
    expect(reasons.map(({ code }) => code)).toEqual(['missing', 'stopping', 'battery-low']);
  });
});

describe('a phone', () => {
  it.each([
    { title: 'not looked at yet', view: phone({}, { state: 'unknown' }), is: 'maintenance' },
    { title: 'missing', view: gone(), is: 'quarantined' },
    {
      title: 'not listed',
      view: phone({}, { state: 'unknown', code: 'not-listed', why: 'adb: error' }),
      is: 'quarantined',
    },
    { title: 'booting', view: phone({ isReady: false }), is: 'recovering' },
    { title: 'severely hot', view: phone({ thermalStatus: 3 }), is: 'recovering' },
    { title: 'moderately hot', view: phone({ thermalStatus: 2 }), is: 'ok' },
  ])('that is $title makes it $is', ({ view, is }) => {
    expect(verdictsOf([withPhone(view)])).toEqual([is]);
  });

  const processor = (celsius: number) =>
    phone({ temperatures: { cpu: celsius, battery: 30 }, processorSensors: ['cpu'] });

  it.each<[string, Partial<HealthFacts>[], string]>([
    ['30% until it has 40%', charged([30, 29, 35, 39, 40, 35, 30]), '-+++---'],
    ['35 °C until it is below 32 °C', heated([35, 35.1, 33, 32, 31.9, 34]), '-+++--'],
    ['80 °C of its processor', [44, 80, 81, 66, 64].map(processor).map(withPhone), '--++-'],
    [
      'a severe thermal status until it is below a moderate one',
      [3, 2, 1, 2].map((thermalStatus) => withPhone(phone({ thermalStatus }))),
      '++--',
    ],
  ])('recovers beyond %s', (_, looks, recovering) => {
    const expected = [...recovering].map((sign) => (sign === '+' ? 'recovering' : 'ok'));

    expect(verdictsOf(looks)).toEqual(expected);
  });

  it('has the thresholds of its model', () => {
    const deviceModels = {
      walleye: { hotCelsius: 45, coolCelsius: 42, ignoreSensors: ['skin'] },
      other: { hotCelsius: 1 },
    };
    const given = { ...settings, deviceModels };
    const at = (temperatures: Record<string, number>) => withPhone(phone({ temperatures }));

    const looks = [at({ battery: 44, skin: 99 }), at({ battery: 46 }), at({ battery: 41 })];

    expect(verdictsOf(looks, given)).toEqual(['ok', 'recovering', 'ok']);
  });

  it('stays empty while it is away, and is so when it returns half full', () => {
    const looks = [
      withPhone(phone({ batteryPercent: 10 })),
      withPhone({ ...phone({ batteryPercent: 10 }), state: 'missing' as const }),
      withPhone(phone({ batteryPercent: 35 })),
      withPhone(phone({ batteryPercent: 41 })),
    ];

    expect(verdictsOf(looks)).toEqual(['recovering', 'quarantined', 'recovering', 'ok']);
  });

  it('is not missing while it reboots after a task', () => {
    const rebooting = new Map([['phone', minutes(-1)]]);

    const { verdict, reasons } = assessed({ devices: [gone()], rebooting });

    expect(verdict).toBe('maintenance');
    expect(reasons).toMatchObject([{ code: 'rebooting', since: minutes(-1) }]);
  });

  it('that is not back from that is quarantined, whether it is missing or there', () => {
    const notBack = new Map([['phone', noon]]);
    const texts = [gone('offline'), phone()].map((view) =>
      healthText(assessed({ devices: [view], notBack })),
    );

    expect(texts).toEqual([
      'phone: not back from its reboot after a task: offline',
      'phone: not back from its reboot after a task: the device is connected, but has not rebooted',
    ]);
  });

  it('that boots for ever needs somebody', () => {
    const looks = [0, 5, 6].map((minute) => ({
      // Somebody sets the clock.
      now: minutes(minute * 1000),
      ...withPhone(phone({ isReady: false }, { notReadyUptime: 60, readUptime: 60 + minute * 60 })),
    }));

    expect(verdictsOf(looks)).toEqual(['recovering', 'recovering', 'quarantined']);
  });

  it('whose services are gone is not ready, and has the reason', () => {
    const reading = { isReady: false, whyNotReady: 'no services' };

    const { verdict, reasons } = assessed(withPhone(phone(reading)));

    expect(verdict).toBe('recovering');
    expect(reasons).toMatchObject([{ code: 'not-ready', text: 'not ready: no services' }]);
  });

  it('whose battery was set manually is out of service, but does not need anybody during a task', () => {
    const look = withPhone(phone({ setByHand: { battery: true, thermalStatus: false } }));

    const idle = assessed(look);
    const busy = assessed({ ...look, taskRunning: true });

    expect([idle.verdict, busy.verdict]).toEqual(['quarantined', 'recovering']);
    expect(idle.reasons).toMatchObject([
      { code: 'set-by-hand:battery-level', text: expect.stringContaining('dumpsys battery reset') },
    ]);
  });

  it('whose figures are old says how old', () => {
    const view = phone(
      { batteryPercent: 7, temperatures: { skin: 50 } },
      { readAt: minutes(90), batteryAt: noon, heatAt: minutes(90) },
    );

    expect(healthText(assessed(withPhone(view)))).toBe(
      'phone: battery low: 7% (last read at 2026-11-20T12:00Z), recovers at 40%; phone: too hot: skin 50 °C, recovers below 32 °C',
    );
  });

  it('needs attention, and has the reason', () => {
    const givenUp = new Map([['phone', '2 rounds did not help']]);

    const health = assessed({ devices: [gone()], givenUp });

    expect(healthText(health)).toBe(
      'phone: needs attention: 2 rounds did not help; phone: missing: offline',
    );
  });

  it.each([new Map(), new Map([['phone', minutes(-5)]])])(
    'that needs a person says for what, also after its reboot: %o',
    (notBack) => {
      const why = 'locked with a passcode; unlock it';
      const view = phone({}, { state: 'missing', code: 'needs-person', why });

      expect(assessed({ devices: [view], notBack }).reasons).toMatchObject([
        { verdict: 'quarantined', code: 'needs-person', text: `missing: ${why}`, device: 'phone' },
      ]);
    },
  );
});

describe('a reason', () => {
  it('keeps its beginning while its figures change', () => {
    const first = assessed(charged([20])[0]);
    const later = assess(first, facts({ ...charged([22])[0], now: minutes(5) }), settings);

    expect(first.reasons[0]).toMatchObject({
      since: noon,
      text: 'battery low: 20%, recovers at 40%',
    });
    expect(later.reasons[0]).toMatchObject({
      since: noon,
      text: 'battery low: 22%, recovers at 40%',
    });
  });

  it('begins again when it was gone', () => {
    const first = assessed(charged([20])[0]);
    const well = assess(first, facts({ ...charged([50])[0], now: minutes(1) }), settings);
    const again = assess(well, facts({ ...charged([20])[0], now: minutes(2) }), settings);

    expect(well.since).toEqual(minutes(1));
    expect(again.reasons[0]?.since).toEqual(minutes(2));
  });
});

const anyPhone: fc.Arbitrary<DeviceView> = fc
  .record({
    state: fc.constantFrom('unknown' as const, 'present' as const, 'missing' as const),
    batteryPercent: fc.integer({ min: 0, max: 100 }),
    temperatures: fc.dictionary(
      fc.constantFrom('battery', 'skin'),
      fc.integer({ min: -10, max: 60 }),
    ),
    thermalStatus: fc.integer({ min: 0, max: 6 }),
    isReady: fc.boolean(),
  })
  .map(({ state, ...reading }) => phone(reading, { state }));

const anyFacts: fc.Arbitrary<HealthFacts> = fc
  .record({
    devices: fc.array(anyPhone, { maxLength: 1 }),
    host: fc.record({
      celsius: fc.integer({ min: 0, max: 100 }),
      clockOffsetSeconds: fc.integer({ min: -30, max: 30 }),
      disk: fc.record({ freeBytes: fc.integer({ min: 0, max: 100 }), sizeBytes: fc.constant(100) }),
    }),
    stopping: fc.boolean(),
  })
  .map(facts);

const edges = fc.record({
  low: fc.integer({ min: 0, max: 100 }),
  good: fc.integer({ min: 0, max: 100 }),
});

describe('whatever is known', () => {
  it('is judged the same twice, also with thresholds the wrong way round', () => {
    fc.assert(
      fc.property(
        fc.array(anyFacts, { maxLength: 5 }),
        anyFacts,
        edges,
        (past, last, { low, good }) => {
          const thresholds = {
            ...settings.thresholds,
            batteryLowPercent: low,
            batteryGoodPercent: good,
            hotCelsius: good,
            coolCelsius: low,
          };
          const given = { ...settings, thresholds };
          let health: Health | undefined;
          for (const known of [...past, last]) health = assess(health, known, given);

          expect(assess(health, last, given)).toEqual(health);
        },
      ),
      runs(100),
    );
  });

  it('has the verdict of its worst reason, and each reason once', () => {
    fc.assert(
      fc.property(anyFacts, (known) => {
        const { verdict, reasons } = assess(undefined, known, settings);
        const ranks = reasons.map((reason) => verdicts.indexOf(reason.verdict));
        const keys = reasons.map(({ code, device }) => `${device} ${code}`);

        expect(verdicts.indexOf(verdict)).toBe(Math.max(0, ...ranks));
        expect(new Set(keys).size).toBe(keys.length);
      }),
      runs(100),
    );
  });
});
