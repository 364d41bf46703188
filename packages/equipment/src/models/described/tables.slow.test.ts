/**
 * Each table against the software of other authors: it switches the same simulated outlets, which obey only the table's own objects and
 * values. Also against Debian's agent.
 */
import { startSnmpd, startTablePdu, tablePduModel } from '@skolo/simulators';
import { describe, expect, it, onTestFinished } from 'vitest';
import { z } from 'zod';
import { readTables } from '../../../generate/tables.ts';
import { generic } from '../generic/facts.ts';
import { models } from '../index.ts';
import { loadDrivers } from '../load.ts';
import { snmpSwitch } from '../snmp-switch/facts.ts';
import { expectAgreement } from '../testing/other-drivers.ts';
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

const agreeing = readTables().flatMap(({ table, proof: { agrees } }) =>
  agrees && table.base === 'snmp-switch' ? [{ table, agrees, driver: agrees.driver }] : [],
);

it.for(agreeing)('$table.name agrees with $driver', async ({ table, agrees }, context) => {
  const setup = setupOf(table, agrees.objectId);
  const device = await setup.start({});
  onTestFinished(() => device.close());
  const driver = driverAt(setup, device, logins.v2c);
  const [, outlet] = outletsOf(table);

  await expectAgreement(context, agrees, { device, driver, outlet }, false);
});

it('are models of their own, whose entries have only what a table asks for', () => {
  const { options, power } = models.get('eaton-epdu-g3') ?? {};

  expect(z.strictObject(options ?? {}).parse({})).toEqual({ outlets: 16 });
  expect(power?.outlets.range({ outlets: 8 })).toBe('1 to 8');
  expect(models.get('sentry3')?.power?.outlets.find('1.2.3', {})).toBe('1.2.3');
  expect(models.get('sentry3')?.power?.outlets.find('3', {})).toBeUndefined();
});
