/** A driver's record of its requests, whether sent or not: the same text, and no secrets. */
import { Secret } from '@skolo/base/secrets';
import { startTasmota } from '@skolo/simulators';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Device } from './contract/device.ts';
import { loadDrivers } from './load.ts';
import { depsWith, patient, rackDevice } from './testing/outlets.ts';

const password = "p&ss w'rd!";

/** A driver with a device's address, and its record of what it sends. */
async function recorded(model: string, about: Partial<Device>, dry?: true) {
  const device = rackDevice(model, { address: '127.0.0.1', ...about });
  const community = new Secret('canary');
  const snmp = { version: 2, community, authProtocol: 'sha', privProtocol: 'aes' } as const;
  const sent: string[] = [];
  const driver = (await loadDrivers()).get(model)?.create(device, {
    ...depsWith({ username: 'admin', password, snmp }),
    onTranscript: (from, text) => void (from === 'us' && sent.push(text.trimEnd())),
    dry,
  });
  if (driver === undefined) throw new Error(`no driver for ${model}`);
  return { driver, sent };
}

const command = ['/nowhere/relay', '{outlet-1}', 'on off'];
/** Nothing listens on these ports. */
const ports = { ssh: 1, snmp: 1, http: 1, mqtt: 1, ipmi: 1 };

describe('a driver that sends nothing', () => {
  it.each<[string, string, string[], object?]>([
    [
      'apc-rpdu2',
      '3',
      [
        'snmp get 1.3.6.1.4.1.318.1.1.26.9.2.3.1.5.3 1.3.6.1.4.1.318.1.1.26.9.4.3.1.7.3',
        'snmp set 1.3.6.1.4.1.318.1.1.26.9.2.4.1.5.3 2',
      ],
    ],
    [
      'tasmota',
      '1',
      [
        'GET /cm?cmnd=State&user=admin&password=<secret>',
        'GET /cm?cmnd=Power1%20OFF&user=admin&password=<secret>',
      ],
    ],
    [
      'mqtt-switch',
      '1',
      [
        'mqtt subscribe stat/device-1/POWER1',
        'mqtt publish cmnd/device-1/POWER1 ',
        'mqtt subscribe stat/device-1/POWER1',
        'mqtt publish cmnd/device-1/POWER1 OFF',
      ],
      { topic: 'device-1' },
    ],
    [
      'command-switch',
      '7',
      ["/nowhere/relay 6 'on off'", "/nowhere/relay 6 'on off'"],
      { on: command, off: command, read: { command, on: '^on$', off: '^off$' } },
    ],
    [
      'openwrt',
      'lan1',
      ['ubus call poe info', `ubus call poe manage '{"port":"lan1","enable":false}'`],
    ],
    [
      'edgeswitch',
      '1',
      [
        ...['enable  (only if its prompt is not privileged)'],
        ...['<secret>  (only if it requests a password)', 'terminal length 0'],
        'show poe port 0/1',
      ],
    ],
  ])('tells what %s would send', async (model, outlet, expected, options = {}) => {
    const { driver, sent } = await recorded(model, { ports, options: { ...options } }, true);

    // Empty responses are not states.
    await driver.read([outlet], patient()).catch(() => undefined);
    if (model !== 'edgeswitch') await driver.turnOff(outlet, patient()).catch(() => undefined);

    expect(sent.map((line) => line.trimEnd())).toEqual(expected.map((line) => line.trimEnd()));
  });
});

it('tells what it sends in the same words', async () => {
  const device = await startTasmota({ password });
  onTestFinished(() => device.close());
  const about = { address: device.host, ports: { http: device.port } };
  const [real, dry] = [await recorded('tasmota', about), await recorded('tasmota', about, true)];

  await real.driver.read(['1'], patient());
  await dry.driver.read(['1'], patient()).catch(() => undefined);

  expect(real.sent).toEqual([
    ...dry.sent,
    ...['Status%2010', 'StateText1', 'StateText2'].map((command) =>
      expect.stringMatching(new RegExp(`^GET .*=${command}&`)),
    ),
  ]);
  expect(real.sent.join()).not.toMatch(/p%26ss|w'rd|w%27rd/);
});
