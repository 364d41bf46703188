/**
 * Each table against the software of other authors: it switches the same simulated outlets, which obey only the table's own objects and
 * values. Also against Debian's agent.
 */
import { execFile } from 'node:child_process';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { startSnmpd, startTablePdu, tablePduModel } from '@skolo/simulators';
import { peer } from '@skolo/simulators/peer';
import { describe, expect, it, onTestFinished, type TestContext } from 'vitest';
import { z } from 'zod';
import { readTables } from '../../../generate/tables.ts';
import { generic } from '../generic/facts.ts';
import { modelNamed, models } from '../index.ts';
import { loadDrivers } from '../load.ts';
import { snmpSwitch } from '../snmp-switch/facts.ts';
import { patient, stateOf } from '../testing/outlets.ts';
import { driverAt, logins, type SnmpSetup } from '../testing/snmp.ts';
import type { Table } from './table.ts';
import { tables as all } from './tables.ts';

const tables = all.filter(({ base }) => base === 'snmp-switch');

const drivers = await loadDrivers();
const Described = z.object(snmpSwitch.options);
const backups = all.filter(({ base }) => base === 'generic');

it('are those of the YAML files', () => {
  expect(all).toEqual(readTables().map(({ table }) => table));
});

/** rack.yaml of some lab may have each of them: a renamed table lists its previous name in `was`. */
const shipped = [
  ...['apc-masterswitch', 'cyberpower-pdu', 'eaton-epdu-g3', 'eaton-epdu-managed'],
  ...['eaton-epdu-switched', 'ibm-ipdu', 'intel-modular', 'liebert-mpx', 'raritan-px'],
  ...['aoscx', 'arubaos', 'asa', 'comware', 'cumulus-nvue', 'efos', 'fortigate', 'fortimanager'],
  ...['fs-switch', 'icx', 'netgear', 'onyx', 'opnsense', 'pfsense', 'sonicwall', 'tplink-olt'],
  ...['dli-rest', 'esphome', 'gude-epc', 'gude-web', 'home-assistant', 'netio', 'servertech-jaws'],
  ...['raritan-px2', 'sentry3', 'tripplite-lx', 'tripplite-pdu', 'vertiv-geist'],
];

it.each(shipped)('%s remains a name in rack.yaml', (name) => {
  expect(modelNamed(name)).toBeDefined();
});

describe.each(all.filter(({ base }) => base !== 'generic'))(
  '$name',
  ({ name, base: baseName, asks, values }) => {
    it('has all keys of its base, and none that contradict each other', () => {
      const base = models.get(baseName);
      const options = { ...values, ...asks };

      const parsed = z.strictObject(base?.options ?? {}).parse(options);

      expect(base?.contradictions?.(parsed)).toEqual([]);
    });

    it('is not used by automatic repair', () => {
      expect(drivers.get(name)?.automaticRepair).toBe(false);
    });
  },
);

it.each(backups)('$name describes a backup, and what a restore needs', ({ values }) => {
  const { restore } = z.strictObject(generic.options).parse(values);

  expect(restore).toMatch(/^[a-z].{20,}/);
});

/** A table's three outlets; the second one is tested. */
function outletsOf({ values }: Table): [string, string, string] {
  const { levels = 1 } = values;
  const above = Array.from({ length: Number(levels) - 1 }, () => '1.').join('');
  return [`${above}1`, `${above}2`, `${above}3`];
}

function setupOf(table: Table, objectId = '1.3.6.1.4.1.8072.3.2.10'): SnmpSetup {
  const { create } = drivers.get(table.name) ?? {};
  if (create === undefined) throw new Error(`${table.name} switches nothing`);
  const pdu = { table: Described.parse(table.values), outlets: outletsOf(table), objectId };
  return {
    kind: { model: table.name, automaticRepair: false, create },
    start: (options) => startTablePdu(pdu, options),
    model: () => tablePduModel(pdu),
  };
}

describe.each(tables)("$name in front of Debian's snmpd", (table) => {
  it('turns one outlet off and on, and reads all outlets in one request', async (context) => {
    const setup = setupOf(table);
    const device = await startSnmpd(setup.model());
    if (!device) return context.skip('snmpd is not installed');
    onTestFinished(() => device.close());
    const driver = driverAt(setup, device, logins.v2c);
    const [first, outlet, last] = outletsOf(table);
    const changes: unknown[] = [];
    device.board.on('change', (change) => changes.push(change));

    await driver.turnOff(outlet, patient());
    const read = await driver.read([first, outlet, last], patient());
    await driver.turnOn(outlet, {}, patient());

    expect([...read.values()].map(({ state }) => state)).toEqual(['on', 'off', 'on']);
    expect(await stateOf(driver, outlet)).toBe('on');
    expect(changes).toEqual([
      { outlet, on: false },
      { outlet, on: true },
    ]);
  });
});

interface Other {
  program: string;
  args?: readonly string[];
  /** By which it chooses its own table. */
  objectId?: string;
  /** What it calls the outlet; default: as we do. */
  plug?: string;
}

const community = ['-c', 'private', '--power-wait', '0'];
/** By table: the driver of somebody else. */
const others: Record<string, Other> = {
  'apc-masterswitch': { program: 'labgrid.driver.power.apc' },
  'eaton-epdu-managed': { program: 'fence_eaton_snmp', objectId: '1.3.6.1.4.1.534.6.6.6' },
  'eaton-epdu-switched': { program: 'fence_eaton_snmp', objectId: '1.3.6.1.4.1.20677.1' },
  'ibm-ipdu': {
    program: 'fence_ipdu',
    args: ['-d', '2c'],
    objectId: '1.3.6.1.4.1.2.6.223',
  },
  'intel-modular': { program: 'fence_intelmodular', args: ['-d', '2c'] },
  'liebert-mpx': { program: 'fence_emerson', args: ['-d', '2c'] },
  sentry3: { program: 'labgrid.driver.power.sentry', plug: '2' },
  'tripplite-lx': { program: 'fence_tripplite_snmp', objectId: '1.3.6.1.4.1.850.1.1.1' },
  'tripplite-pdu': { program: 'fence_tripplite_snmp', objectId: '1.3.6.1.4.1.850.1' },
};

/** Turns an outlet off or on, and gives the state that the other driver then reads. */
async function tell(
  context: TestContext,
  { program, args = [] }: Other,
  { host, port }: { host: string; port: number },
  plug: string,
  verb: 'off' | 'on',
): Promise<string> {
  const [tools, fence, python] = [peer('snmp-tools'), peer('fence-agents'), peer('labgrid')];
  const isFence = program.startsWith('fence_');
  if (tools === undefined || (isFence ? fence : python) === undefined)
    return context.skip('fence-agents, labgrid or net-snmp are not installed');
  const run = async (file: string, words: readonly string[]) => {
    const env = { PATH: `${dirname(tools)}:${process.env.PATH}`, MIBS: '' };
    return (await promisify(execFile)(file, words, { env, timeout: 120_000 })).stdout;
  };
  if (!isFence) {
    const lines = `import sys, ${program} as driver\nhost, plug, verb = sys.argv[1:]\ndriver.power_set(host, None, plug, verb == "on")\nprint("ON" if driver.power_get(host, None, plug) else "OFF")`;
    return await run(python ?? '', ['-W', 'ignore', '-c', lines, `${host}:${port}`, plug, verb]);
  }
  const place = ['-a', host, '-u', String(port), '-n', plug, '-o', verb];
  return await run(join(dirname(fence ?? ''), program), [...community, ...args, ...place]);
}

describe.each(Object.entries(others))('%s as others switch it', (name, other) => {
  it(`agrees with ${other.program}`, async (context) => {
    const table = tables.find((each) => each.name === name);
    if (table === undefined) throw new Error(`no table ${name}`);
    const setup = setupOf(table, other.objectId);
    const device = await setup.start({});
    onTestFinished(() => device.close());
    const driver = driverAt(setup, device, logins.v2c);
    const [, outlet] = outletsOf(table);
    const { plug = outlet } = other;

    const saidOff = await tell(context, other, device, plug, 'off');
    const off = await stateOf(driver, outlet);
    const saidOn = await tell(context, other, device, plug, 'on');

    expect([saidOff, saidOn]).toEqual([
      expect.stringMatching(/OFF\n$/),
      expect.stringMatching(/ON\n$/),
    ]);
    expect([off, await stateOf(driver, outlet)]).toEqual(['off', 'on']);
    expect(device.board.names().filter((each) => !device.board.isOn(each))).toEqual([]);
  });
});

it('are models of their own, whose entries have only what a table asks for', () => {
  const { options, power } = models.get('eaton-epdu-g3') ?? {};

  expect(z.strictObject(options ?? {}).parse({})).toEqual({ outlets: 16 });
  expect(power?.outlets.range({ outlets: 8 })).toBe('1 to 8');
  expect(models.get('sentry3')?.power?.outlets.find('1.2.3', {})).toBe('1.2.3');
  expect(models.get('sentry3')?.power?.outlets.find('3', {})).toBeUndefined();
});
