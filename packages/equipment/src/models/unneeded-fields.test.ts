/**
 * Only the outlet's own state decides: whatever the other parts of an answer are, the outlet is read, turned off and turned on. What its
 * device does not answer cannot keep it off.
 */
import { runs } from '@skolo/base/durable/fault-injection';
import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import type { OutletReading } from './contract/outlets.ts';
import { models } from './index.ts';
import { openDriver, patient } from './testing/outlets.ts';
import { anyChanges, type Change, changed } from './testing/unneeded/changes.ts';
import { type AnsweringDevice, devices } from './testing/unneeded/devices.ts';

const switching = [...models.values()].filter(({ power, base }) => power && base === undefined);

it('is true of every model that switches power', () => {
  const named = new Set(Object.keys(devices).map((name) => name.split(' ')[0]));
  expect([...named].sort()).toEqual(switching.map(({ name }) => name).sort());
});

/** A driver of the device, which answers with these changes, or with nothing that makes sense. */
async function start(name: string, { serve, options = {}, answers }: AnsweringDevice) {
  const { power } = models.get(name.split(' ')[0] ?? '') ?? {};
  if (power === undefined) throw new Error(`${name} does not switch power`);
  let changes: readonly Change[] = [];
  let isSenseless = false;
  const device = await serve((request) => {
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

describe.each(Object.entries(devices))('%s', (name, device) => {
  const { outlet, beside, on, off, onByDefault = on, staysOff } = device;
  const both = beside === undefined ? [outlet] : [outlet, beside];

  it('is read and switched, whatever the rest of its answers is', async () => {
    const { driver, received, change } = await start(name, device);
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
    const { driver, received, makeSenseless } = await start(name, device);
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

/** What people reported: the answers that differ from those above, and the outlet's state. */
const reports: [
  what: string,
  name: string,
  answers: AnsweringDevice['answers'],
  reading: Partial<OutletReading>,
][] = [
  [
    'a sensor that reports nan',
    'tasmota',
    { 'cmnd=Status%2010 ': ['{"StatusSNS":{"DS18B20":{"Temperature":nan},"TempUnit":"C"}}'] },
    { state: 'on' },
  ],
  [
    'a power of null',
    'shelly-gen2',
    {
      'Shelly.GetStatus': [
        { id: 1, src: 'x', result: { 'switch:0': { id: 0, output: true, apower: null } } },
      ],
    },
    { state: 'on' },
  ],
  [
    'only the switch of an add-on',
    'shelly-gen2',
    {
      'Shelly.GetStatus': [
        {
          result: { ble: {}, 'em:0': { id: 0 }, 'switch:100': { id: 100, output: true }, sys: {} },
        },
      ],
    },
    { state: 'unknown' },
  ],
  [
    'a state that the standard does not have',
    'redfish',
    { 'GET /redfish': [{ Id: '1', PowerState: 'Reset' }] },
    { state: 'unknown' },
  ],
  [
    'a mode that the first version of its manual does not have',
    'routeros ssh',
    {
      monitor: ['          name: ether1\n       poe-out: forced-on-bt\npoe-out-status: powered-on'],
    },
    { state: 'on', mode: 'forced-on-bt', delivering: true },
  ],
];

it.each(reports)(
  '%s does not prevent turning an outlet of %s on',
  async (_what, name, answers, reading) => {
    const device = devices[name];
    if (device === undefined) throw new Error(`no ${name}`);
    const { driver, received } = await start(name, {
      ...device,
      answers: { ...answers, ...device.answers, ...answers },
    });

    const seen = (await driver.read([device.outlet], patient())).get(device.outlet);
    await driver.turnOn(device.outlet, { via: seen?.via }, patient());

    expect(seen).toMatchObject(reading);
    expect(received().some((asked) => asked.includes(device.on))).toBe(true);
  },
);
