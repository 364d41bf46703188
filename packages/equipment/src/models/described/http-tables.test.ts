/** Each HTTP table with equipment that has only what its sources describe, and with the drivers of other authors where they exist. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { type SimulatedDevice, startDescribedDevice, startEsphome } from '@skolo/simulators';
import { peer } from '@skolo/simulators/peer';
import { describe, expect, it, type TestContext } from 'vitest';
import { loadDrivers } from '../load.ts';
import { meetsFaults, patient, type Setup, startDriver } from '../testing/http.ts';
import { type Login, stateOf } from '../testing/outlets.ts';
import { tables } from './tables.ts';

const drivers = await loadDrivers();
const account = { username: 'admin', password: 'joker' };

interface Case {
  outlets: [first: string, tested: string];
  login?: Login;
  start?: () => Promise<SimulatedDevice>;
  /** Of the second outlet, while it is off. */
  watts?: number;
  /** Requests that read both outlets. */
  reads: string[];
  /** Lines of Python that turn the second outlet off or on; `verb` and `place` are set. `state` is what it then reads, if it can. */
  other?: { of: 'labgrid' | 'pdudaemon'; lines: string };
}

const cases: Record<string, Case> = {
  'dli-rest': {
    outlets: ['1', '3'],
    login: account,
    reads: ['GET /restapi/relay/outlets/all;/physical_state/'],
  },
  esphome: {
    outlets: ['relay_1', 'relay_2'],
    login: account,
    start: () => startEsphome({ account }),
    reads: ['GET /switch/relay_1', 'GET /switch/relay_2'],
    other: {
      of: 'pdudaemon',
      lines: `from pdudaemon.drivers.esphome import ESPHomeHTTP as Driver
Driver(place, {'username': 'admin', 'password': 'joker', 'switch_ids': ['relay_1', 'relay_2']}).port_interaction(verb, 2)`,
    },
  },
  'gude-epc': {
    outlets: ['1', '8'],
    reads: ['GET /status.json?components=1'],
    other: {
      of: 'labgrid',
      lines: `import labgrid.driver.power.gude8031 as driver
driver.power_set(host, port, 8, verb == 'on')
state = driver.power_get(host, port, 8)`,
    },
  },
  'gude-web': {
    outlets: ['2', '12'],
    reads: ['GET /ov.html'],
    other: {
      of: 'labgrid',
      lines: `import labgrid.driver.power.gude24 as driver
driver.power_set(host, port, 12, verb == 'on')
state = driver.power_get(host, port, 12)`,
    },
  },
  'home-assistant': {
    outlets: ['pi_1', 'tv_plug'],
    login: { token: 'long-lived' },
    reads: ['GET /api/states/switch.pi_1', 'GET /api/states/switch.tv_plug'],
  },
  netio: { outlets: ['1', '4'], login: account, watts: 0, reads: ['GET /netio.json'] },
  'servertech-jaws': {
    outlets: ['AA1', 'AA2'],
    login: account,
    reads: ['GET /jaws/monitor/outlets/AA1', 'GET /jaws/monitor/outlets/AA2'],
    other: {
      of: 'pdudaemon',
      lines: `from pdudaemon.drivers.servertechpro2 import ServerTechPro2 as Driver
Driver(place, {'username': 'admin', 'password': 'joker'})._port_interaction(verb, 'AA2')`,
    },
  },
};

function setupOf(name: string): Setup {
  const { login, start = () => startDescribedDevice(name) } = cases[name] ?? {};
  const { create } = drivers.get(name) ?? {};
  if (create === undefined) throw new Error(`${name} switches nothing`);
  const kind = { model: name, automaticRepair: false, create };
  return { kind, start, options: { https: false }, ...(login && { login }) };
}

it('has a case for each table', () => {
  const names = tables.filter(({ base }) => base === 'http-switch').map(({ name }) => name);

  expect(Object.keys(cases).sort()).toEqual(names);
});

async function tell(
  context: TestContext,
  { of, lines }: NonNullable<Case['other']>,
  { host, port }: SimulatedDevice,
  verb: 'off' | 'on',
): Promise<string> {
  const interpreter = peer('labgrid');
  if (interpreter === undefined || peer(of) === undefined)
    return context.skip(`${of} is not installed`);
  const text = `import sys
host, port, verb = sys.argv[1:]
place, state = host + ':' + port, None
${lines}
print(verb if state is None else 'on' if state else 'off')`;
  const args = ['-W', 'ignore', '-c', text, host, String(port), verb];
  return (await promisify(execFile)(interpreter, args, { timeout: 120_000 })).stdout.trim();
}

describe.each(Object.entries(cases))('%s', (name, { outlets, watts, reads, other }) => {
  const [first, outlet] = outlets;

  it('turns one outlet off and on, and reads with as few requests as it can', async () => {
    const { device, driver } = await startDriver(setupOf(name));
    const changes: unknown[] = [];
    device.board.on('change', (change) => changes.push(change));

    await driver.turnOff(outlet, patient());
    const before = device.received.length;
    const read = await driver.read([first, outlet], patient());
    const sent = device.received.slice(before).map(({ text }) => text);
    await driver.turnOn(outlet, {}, patient());

    expect(read.get(first)?.state).toBe('on');
    expect(read.get(outlet)).toEqual({ state: 'off', ...(watts !== undefined && { watts }) });
    expect(await stateOf(driver, outlet)).toBe('on');
    // A challenge of digest is another request.
    expect([...new Set(sent)]).toEqual(reads);
    expect(changes).toEqual([
      { outlet, on: false },
      { outlet, on: true },
    ]);
  });

  it.runIf(other)('agrees with the driver of other authors', async (context) => {
    if (other === undefined) return;
    const { device, driver } = await startDriver(setupOf(name));

    const saidOff = await tell(context, other, device, 'off');
    const off = await stateOf(driver, outlet);
    const saidOn = await tell(context, other, device, 'on');

    expect([saidOff, off, saidOn, await stateOf(driver, outlet)]).toEqual([
      'off',
      'off',
      'on',
      'on',
    ]);
    expect(device.board.names().filter((each) => !device.board.isOn(each))).toEqual([]);
  });

  meetsFaults(setupOf(name), outlet, ['{outlet}', 'a'.repeat(61)]);
});
