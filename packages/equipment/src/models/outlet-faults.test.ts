/** A port that is on and delivers nothing because of a short circuit: it must not read like one with nothing plugged in. */
import {
  type SimulatedDevice,
  startCiscoIos,
  startEdgeSwitch,
  startOpenwrt,
  startPoeSwitch,
  startRouteros,
  startRouterosRest,
  startUnifiSwitch,
} from '@skolo/simulators';
import { describe, expect, it } from 'vitest';
import { outlets as ciscoIos } from './cisco-ios/outlets.ts';
import type { PowerDriver } from './contract/outlets.ts';
import { outlets as edgeSwitch } from './edgeswitch/edgeswitch.ts';
import { outlets as openwrt } from './openwrt/openwrt.ts';
import { outlets as routeros } from './routeros/outlets.ts';
import { outlets as snmpPoe } from './snmp-poe/snmp-poe.ts';
import { patient, startCli } from './testing/cli.ts';
import { startDriver as startHttp } from './testing/http.ts';
import { startDriver as startSnmp } from './testing/snmp.ts';
import { outlets as unifiSwitch } from './unifi-switch/unifi-switch.ts';

type Start = () => Promise<{
  device: Pick<SimulatedDevice, 'board'>;
  driver: PowerDriver;
}>;

const options = { portCount: 8 };
const account = { username: 'power', password: 'joker' };

const switches: [model: string, outlet: string, word: string, start: Start][] = [
  [
    'edgeswitch',
    '3',
    'Fault',
    () =>
      startCli({
        kind: edgeSwitch,
        start: (own) => startEdgeSwitch({ ports: 8, ...own }),
        options,
      }),
  ],
  [
    'unifi-switch',
    '3',
    'Fault',
    () =>
      startCli({
        kind: unifiSwitch,
        start: (own) => startUnifiSwitch({ ports: 8, fastpath: true, ...own }),
        options,
        transport: 'telnet',
      }),
  ],
  [
    'cisco-ios',
    'Gi1/0/3',
    'faulty',
    () =>
      startCli({
        kind: ciscoIos,
        start: (own) => startCiscoIos({ ports: 8, privilege: 15, ...own }),
      }),
  ],
  [
    'openwrt',
    'lan3',
    'Fault',
    () => startCli({ kind: openwrt, start: (own) => startOpenwrt({ ports: 8, ...own }), options }),
  ],
  [
    'routeros over ssh',
    'ether3',
    'short-circuit',
    () =>
      startCli({
        kind: routeros,
        start: (own) => startRouteros({ ports: 8, ...own }),
        options,
      }),
  ],
  [
    'routeros over REST',
    'ether3',
    'short-circuit',
    () =>
      startHttp({
        kind: routeros,
        start: () => startRouterosRest({ portCount: 8, account }),
        options: { ...options, https: false },
        login: account,
      }),
  ],
  [
    'snmp-poe',
    '3',
    'fault',
    () =>
      startSnmp({
        kind: snmpPoe,
        start: (own) => startPoeSwitch({ ...own, ports: 8, groups: 1 }),
        model: () => {
          throw new Error('not asked for');
        },
        options: { portCount: 8, groups: 1 },
      }),
  ],
];

describe.each(switches)('%s', (_model, outlet, word, start) => {
  it('tells a fault from a port with nothing plugged in, and only while it is on', async () => {
    const { device, driver } = await start();
    const read = async () => (await driver.read([outlet], patient())).get(outlet);
    device.board.setWatts(outlet, 0);
    const empty = await read();

    device.board.setFaulty(outlet, true);
    const faulty = await read();
    await driver.turnOff(outlet, patient());
    const off = await read();

    expect(empty?.fault).toBeUndefined();
    expect(faulty).toMatchObject({ state: 'on', fault: word });
    expect(faulty?.delivering).toBe(false);
    expect(off).toMatchObject({ state: 'off' });
    expect(off?.fault).toBeUndefined();
  });
});
