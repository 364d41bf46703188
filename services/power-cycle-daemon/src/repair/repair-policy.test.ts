import { runs } from '@skolo/base/testing';
import { Presence } from '@skolo/common';
import { fakeClock } from '@skolo/common/testing';
import { parseRack, type Rack } from '@skolo/rack';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { rackYaml } from '../testing/daemon.ts';
import { decideRepair, type Missing, type RepairFacts } from './repair-policy.ts';

/** Twenty machines on a switch that hangs on a PDU and behind a router; the last one is on a PDU of its own. */
const rack: Rack = parseRack(
  rackYaml(
    `
equipment:
  router: { model: edgeos, address: 127.0.2.1, uplink: internet, power: pdu-1/1 }
  switch-1: { model: edgeswitch, address: 127.0.2.2, uplink: router, power: pdu-1/2 }
  pdu-1: { model: synaccess, address: 127.0.2.3, uplink: switch-1/47 }
  pdu-2: { model: apc-rpdu, address: 127.0.2.4, uplink: switch-1/46 }
machines:
  m-[01-20]: { kind: rpi, power: 'switch-1/[1-20]', uplink: 'switch-1/[1-20]' }
  alone: { kind: host, power: pdu-2/1, uplink: switch-1/30 }
`,
    '    repair: { enabled: true, deadMinutes: 15, tries: 3, pauseMinutes: 60, maxDown: 3, maxDownPercent: 20, bootGraceMinutes: 15 }',
  ),
  { file: '/rack.yaml' },
);
const now = 100_000;
const minute = 60;

function missing(machine: string, own: Partial<Missing> = {}): Missing {
  const since = now - 30 * minute;
  return { machine, since, firstAlertAt: since, lastAlertAt: now - 10, ...own };
}

function machine(name: string) {
  const found = rack.machines.get(name);
  if (found === undefined) throw new RangeError(name);
  return found;
}

function decide(name = 'm-01', own: Partial<RepairFacts> = {}, about: Partial<Missing> = {}) {
  const itself = missing(name, about);
  return decideRepair(machine(name), itself, {
    rack,
    uptime: now,
    presence: new Presence(() => now),
    missing: [itself],
    record: undefined,
    lastTryAt: undefined,
    isDown: () => false,
    busy: undefined,
    mayUse: () => true,
    ...own,
  });
}

function others(count: number): Missing[] {
  return Array.from({ length: count }, (_, i) => missing(`m-${String(i + 1).padStart(2, '0')}`));
}

describe('a machine that is missing', () => {
  it.each([
    ['silent', {}, { lastAlertAt: now - 121 }],
    ['settling', {}, { firstAlertAt: now - 59 }],
    ['not-long', {}, { since: now - 15 * minute + 1 }],
    ['pause', { lastTryAt: now - 60 * minute + 1, record: { target: 'm-01', tries: 1 } }, {}],
    ['boot', { uptime: 14 * minute }, { since: -3600, firstAlertAt: 0, lastAlertAt: 14 * minute }],
    ['shared-down', { isDown: (name: string) => name === 'switch-1' }, {}],
    ['shared-down', { isDown: (name: string) => name === 'router' }, {}],
    ['shared-down', { isDown: (name: string) => name === 'pdu-1' }, {}],
    ['driver-excluded', { mayUse: (name: string) => name !== 'switch-1' }, {}],
    ['many-down', { missing: others(5) }, {}],
    ['busy', { busy: 'm-01 is busy' }, {}],
  ] as const)('is left alone: %s', (brake, own, about) => {
    expect(decide('m-01', own, about)).toMatchObject({ is: 'wait', brake });
  });

  it.each([
    // Its alert, and those of others, arrive again after the pause.
    ['settling', 10, 30 * minute, 59],
    ['not-long', 10, 14 * minute, 14 * minute],
    [undefined, 10, 14 * minute, 15 * minute],
    [undefined, 10, 30 * minute, 60],
    ['settling', 60, 30 * minute, 10],
  ] as const)(
    'after a pause of the daemon: %s (%d s, missing for %d s before, %d s after)',
    (brake, paused, before, after) => {
      const clock = fakeClock(0, now - before - paused * 60 - after);
      const since = clock.uptime();
      clock.pass(before * 1000);
      clock.sleep(paused * 60_000);
      clock.pass(after * 1000);
      const own = { presence: clock.presence };

      expect(decide('m-01', own, { since, firstAlertAt: since })).toMatchObject(
        brake === undefined ? { is: 'cycle' } : { is: 'wait', brake },
      );
    },
  );

  it('is not put off for ever by a busy computer', () => {
    const clock = fakeClock(0, now - 30 * 54);
    const since = clock.uptime();
    for (let stall = 0; stall < 30; stall += 1) {
      clock.pass(50_000);
      clock.sleep(4000);
    }
    const own = { presence: clock.presence };

    expect(decide('m-01', own, { since, firstAlertAt: since })).toEqual({ is: 'cycle' });
  });

  it('does not count those without a recent alert, nor those elsewhere', () => {
    const old = others(10).map((each) => ({ ...each, lastAlertAt: now - 15 * minute - 1 }));

    expect(decide('m-01', { missing: [missing('m-01'), ...old.slice(1)] })).toEqual({
      is: 'cycle',
    });
    // It shares its switch with them, as its uplink.
    expect(decide('alone', { missing: [missing('alone'), ...others(5)] })).toMatchObject({
      brake: 'many-down',
    });
  });

  it('needs attention after so many tries, and still does', () => {
    const record = { target: 'm-01', tries: 3 };
    const why = 'still missing after 3 cycles';

    expect(decide('m-01', { record })).toEqual({ is: 'needs-attention', why });
    expect(decide('m-01', { record: { ...record, needsAttention: why } })).toEqual({
      is: 'needs-attention',
      why,
    });
  });
});

const device = fc.constantFrom('router', 'switch-1', 'pdu-1', 'pdu-2');
const world = fc.record({
  name: fc.constantFrom('m-01', 'm-20', 'alone'),
  uptime: fc.constantFrom(0, 10 * minute, 15 * minute, now),
  heardAgo: fc.constantFrom(0, 100, 120, 121, 1000),
  firstHeardAgo: fc.constantFrom(0, 59, 60, 10_000),
  deadFor: fc.constantFrom(0, 899, 900, 100_000),
  down: fc.array(device, { maxLength: 1 }),
  excluded: fc.array(device, { maxLength: 1 }),
  missing: fc.nat(20),
  tries: fc.nat(4),
  needsAttention: fc.boolean(),
  lastTryAgo: fc.option(fc.constantFrom(0, 3599, 3600, 100_000), { nil: undefined }),
});

describe('repair', () => {
  it('cycles nothing while anything speaks against it', () => {
    fc.assert(
      fc.property(world, (one) => {
        const { name, uptime, lastTryAgo, tries, needsAttention } = one;
        const itself = missing(name, {
          since: uptime - one.deadFor,
          firstAlertAt: uptime - one.firstHeardAgo,
          lastAlertAt: uptime - one.heardAgo,
        });
        const peers = others(one.missing).map((each) => ({ ...each, lastAlertAt: uptime }));
        const all = [itself, ...peers.filter((peer) => peer.machine !== name)];
        const decision = decideRepair(machine(name), itself, {
          rack,
          uptime,
          presence: new Presence(() => uptime),
          missing: all,
          record: { target: name, tries, ...(needsAttention && { needsAttention: 'gave up' }) },
          lastTryAt: lastTryAgo === undefined ? undefined : uptime - lastTryAgo,
          isDown: (each) => one.down.some((dead) => dead === each),
          busy: undefined,
          mayUse: (each) => !one.excluded.some((name) => name === each),
        });

        // The switch feeds the twenty and links all of them, and hangs on router and pdu-1.
        const feed = name === 'alone' ? 'pdu-2' : 'switch-1';
        const needed = ['router', 'switch-1', 'pdu-1', feed];
        const isHeard = one.heardAgo <= 900;
        const down = peers.filter((peer) => peer.machine !== name).length + (isHeard ? 1 : 0);
        const mayCycle =
          one.heardAgo <= 120 &&
          one.firstHeardAgo >= 60 &&
          one.deadFor >= 900 &&
          uptime >= 900 &&
          !one.down.some((each) => needed.includes(each)) &&
          !one.excluded.includes(feed) &&
          down <= 21 * 0.2 &&
          tries < 3 &&
          !needsAttention &&
          (lastTryAgo === undefined || lastTryAgo >= 3600);
        expect(decision.is === 'cycle').toBe(mayCycle);
      }),
      runs(2000),
    );
  });
});
