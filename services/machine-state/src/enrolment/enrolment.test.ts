import { join } from 'node:path';
import { Journal } from '@skolo/base/durable';
import { Secret } from '@skolo/base/secrets';
import { runs, tempDir } from '@skolo/base/testing';
import { createLogger } from '@skolo/common';
import { fakeClock } from '@skolo/common/testing';
import { parseRack } from '@skolo/rack';
import fc from 'fast-check';
import { expect, it, onTestFinished } from 'vitest';
import { openRecords } from '../records.ts';
import { Enrolment, settlingMs } from './enrolment.ts';

const serial = '10000000f00dcafe';
const [previous, later] = ['a'.repeat(64), 'b'.repeat(64)];
const twoPis = `rpi-1: { kind: rpi, serial: "${serial}" }, rpi-2: { kind: rpi }`;

/** Machines are dead, unless a test adds them to `ready`. */
async function openEnrolment(machines = twoPis) {
  const dir = await tempDir();
  const yaml = `rack: rack4
timezone: Europe/Berlin
network: { subnet: 127.0.0.0/8 }
jumphost: { name: jumphost, address: 127.0.0.1 }
machines: { ${machines} }`;
  const rack = parseRack(yaml, { file: join(dir, 'rack.yaml') });
  const clock = fakeClock('2026-11-22T12:00:00Z');
  const ready = new Set<string>();
  const cluster = { tokens: 0, forgotten: 0, asked: 0 };
  const journal = join(dir, 'journal');
  let open = await Journal.open(journal);
  onTestFinished(() => open.close());
  const start = () => {
    const records = openRecords({ journal: () => open, onTrouble() {}, onWell() {} });
    records.tables.load(open);
    return new Enrolment({
      rack: () => rack,
      clock,
      records,
      isOpen: () => true,
      isAgentAlive: () => false,
      log: createLogger({ service: 'test', level: 'fatal' }),
      cluster: {
        async readyNodes() {
          cluster.asked += 1;
          return new Set(ready);
        },
        forget: async () => {
          cluster.forgotten += 1;
        },
        newToken: async () => {
          cluster.tokens += 1;
          return new Secret(`token-${cluster.tokens}`);
        },
      },
    });
  };
  let enrolment = start();
  const { secret } = await enrolment.newSecret(30, 'ann');
  const askAs = (key: string, body: { serial: string; macs?: string[]; secret?: string }) =>
    enrolment.ask(key, { macs: [], model: 'Pi', ...body }, '127.0.1.1');
  const ask = (key: string, from = '127.0.1.1', board = serial) =>
    enrolment.ask(key, { serial: board, macs: [], model: 'Pi', secret }, from);
  const adopt = (key: string, force = false, name = 'rpi-1', by = 'ann') =>
    enrolment.adopt({ key, name, reason: 'it is this one', force }, by);
  const restart = async () => {
    await open.close();
    open = await Journal.open(journal);
    enrolment = start();
  };
  return {
    ask,
    askAs,
    adopt,
    clock,
    ready,
    cluster,
    restart,
    secret,
    revoke: (key: string) => enrolment.revokeKey(key, 'ann'),
    list: () => enrolment.list(),
    machineOf: (key: string) => enrolment.machineOf(key),
    waiting: () => enrolment.list().waiting,
  };
}

it('uses up a decision that confirms the name of a card: a later card keeps the name', async () => {
  const { ask, adopt, clock, ready } = await openEnrolment();
  expect(await ask(previous)).toMatchObject({ name: 'rpi-1' });
  ready.add('rpi-1');
  clock.pass(settlingMs);
  expect(await ask(previous)).toMatchObject({ wait: 'alive' });
  await adopt(previous, true);
  expect(await ask(previous)).toMatchObject({ name: 'rpi-1' });

  ready.clear();
  clock.pass(settlingMs);
  await ask(later);
  await adopt(later);
  expect(await ask(later)).toMatchObject({ name: 'rpi-1' });
  ready.add('rpi-1');
  clock.pass(settlingMs);

  expect(await ask(previous)).toMatchObject({ wait: 'alive', name: 'rpi-1' });
});

it('makes a new token for a card that gets its name back from another one', async () => {
  const { ask, adopt, cluster } = await openEnrolment();
  await ask(previous);
  await ask(later);
  await adopt(later);
  await ask(later);
  await ask(previous);
  await adopt(previous);
  expect(cluster).toMatchObject({ tokens: 2, forgotten: 2 });

  expect(await ask(previous)).toMatchObject({ name: 'rpi-1' });

  expect(cluster).toMatchObject({ tokens: 3, forgotten: 3 });
});

it('gives the name to the card of the last decision, whichever card asks last', async () => {
  const { ask, adopt, ready } = await openEnrolment();
  ready.add('rpi-1');
  await ask(previous);
  await ask(later);
  await adopt(previous, true);

  await adopt(later, true);

  expect(await ask(later)).toMatchObject({ name: 'rpi-1' });
  expect(await ask(previous)).toMatchObject({ wait: 'alive', name: 'rpi-1' });
});

it('gives one Pi to the first of two engineers, and 409 to the second', async () => {
  const { ask, adopt, ready, clock } = await openEnrolment();
  await ask(later, '127.0.1.2', '20000000f00dcafe');

  const answers = await Promise.allSettled([
    adopt(later, false, 'rpi-1', 'ann'),
    adopt(later, false, 'rpi-2', 'ben'),
  ]);

  expect(answers).toMatchObject([
    { status: 'fulfilled' },
    {
      reason: {
        status: 409,
        message: expect.stringMatching(/ann assigned the name rpi-1 to this Pi/),
      },
    },
  ]);
  // A repetition is no second decision, and one that is meant is possible.
  await adopt(later, false, 'rpi-1', 'ann');
  await adopt(later, true, 'rpi-2', 'ben');
  expect(await ask(later, '127.0.1.2', '20000000f00dcafe')).toMatchObject({ name: 'rpi-2' });
  ready.add('rpi-2');
  clock.pass(settlingMs);
});

const [mac1, mac2] = ['dc:a6:32:00:00:01', 'dc:a6:32:00:00:02'];

it('gives a card no name of a neighbour that is off, whatever MAC address a task on it claims', async () => {
  const { askAs, list, secret } = await openEnrolment(
    `rpi-1: { kind: rpi, mac: "${mac1}" }, rpi-2: { kind: rpi, mac: "${mac2}" }`,
  );
  await askAs(previous, { serial, macs: [mac1], secret });

  expect(await askAs(previous, { serial, macs: [mac2] })).toMatchObject({ name: 'rpi-1' });

  expect(list().enrolled).toMatchObject([{ name: 'rpi-1', key: previous, serial, macs: [mac1] }]);
});

it('lets the next card of a board wait for one decision, and for none where the previous key was revoked', async () => {
  const { ask, adopt, revoke, machineOf } = await openEnrolment();
  const third = 'c'.repeat(64);
  await ask(previous);

  expect(await ask(later)).toMatchObject({ wait: 'taken', name: 'rpi-1' });
  await adopt(later);
  expect(await ask(later)).toMatchObject({ name: 'rpi-1' });

  await revoke(later);
  expect(machineOf(later)).toBeUndefined();
  expect(await ask(third)).toMatchObject({ name: 'rpi-1' });
});

it('gives nothing to a key that was revoked: waiting, adopted or enrolled, and after a restart', async () => {
  const { ask, adopt, revoke, restart, list, waiting } = await openEnrolment();
  const waits = 'c'.repeat(64);
  await ask(previous);
  await ask(later, '127.0.1.2', '20000000f00dcafe');
  await ask(waits, '127.0.1.3', '30000000f00dcafe');
  await adopt(later, false, 'rpi-2');

  const revoked = [await revoke(previous), await revoke(later), await revoke(waits)];
  await restart();

  expect(revoked).toMatchObject([
    { name: 'rpi-1', serial, by: 'ann' },
    { key: later },
    { key: waits },
  ]);
  for (const key of [previous, later, waits]) {
    await expect(ask(key)).rejects.toMatchObject({ status: 403, message: /was revoked/ });
    await expect(ask(key, '127.0.1.1', '40000000f00dcafe')).rejects.toMatchObject({ status: 403 });
    await expect(adopt(key, true)).rejects.toMatchObject({ status: 404 });
  }
  expect(waiting()).toEqual([]);
  expect(list()).toMatchObject({ enrolled: [], revoked });
  // Again, and one that nobody knows.
  expect(await revoke(previous)).toEqual(revoked[0]);
  await expect(revoke('d'.repeat(64))).rejects.toMatchObject({ status: 404 });
});

it('counts no enrolled card as the rival of a neighbour whose serial number it claims', async () => {
  const { ask, askAs, adopt } = await openEnrolment();
  const other = '20000000f00dcafe';
  await ask(previous, '127.0.1.1', other);
  await adopt(previous, false, 'rpi-2');
  await ask(previous, '127.0.1.1', other);

  expect(await askAs(previous, { serial })).toMatchObject({ wait: 'copied' });

  await expect(adopt(previous)).rejects.toMatchObject({ status: 409, message: /card is a copy/ });
  expect(await ask(later)).toMatchObject({ name: 'rpi-1' });
});

it('asks the cluster nothing for those without a secret', async () => {
  const { askAs, cluster } = await openEnrolment();

  await expect(askAs(previous, { serial })).rejects.toMatchObject({ status: 403 });

  expect(cluster.asked).toBe(0);
});

it('never gives a name that another card has or had to one without the secret, in any order of events', async () => {
  const at = <T>(values: readonly T[]) => fc.constantFrom(...values);
  const [all, names] = [
    ['a', 'b', 'c'].map((each) => each.repeat(64)),
    ['rpi-1', 'rpi-2', 'rpi-3', 'rpi-4'],
  ];
  const asking = fc.record({
    serial: at([serial, '20000000f00dcafe', '30000000f00dcafe']),
    macs: fc.uniqueArray(at([mac1, mac2]), { maxLength: 2 }),
    hasSecret: fc.boolean(),
  });
  const what = at(['ask', 'ask', 'ask', 'ask', 'adopt', 'revoke', 'restart']);
  const event = fc.record({ what, key: at(all), name: at(names), asking });
  await fc.assert(
    fc.asyncProperty(fc.array(event, { maxLength: 25 }), async (events) => {
      const { askAs, adopt, revoke, restart, machineOf, secret } = await openEnrolment(
        `rpi-1: { kind: rpi, serial: "${serial}" }, rpi-2: { kind: rpi, mac: "${mac1}" },
        rpi-3: { kind: rpi, mac: "${mac2}" }, rpi-4: { kind: rpi }`,
      );
      const isDone = (work: Promise<unknown>) =>
        work.then(
          () => true,
          () => false,
        );
      /** Name by key, as a person has decided. */
      let approved = new Map<string, string>();
      const revoked = new Set<string>();
      for (const { what, key, name, asking } of events) {
        if (what === 'restart') await restart();
        if (what === 'revoke' && (await isDone(revoke(key)))) revoked.add(key);
        if (what === 'adopt' && (await isDone(adopt(key, true, name)))) {
          // The last decision about a name counts.
          approved = new Map([...approved].filter(([, its]) => its !== name)).set(key, name);
        }
        if (what !== 'ask') continue;
        const before = new Map(all.map((each) => [machineOf(each), each]));
        const { hasSecret, ...board } = asking;
        const body = hasSecret ? { ...board, secret } : board;
        const answer = await askAs(key, body).catch(() => undefined);
        if (answer === undefined || 'wait' in answer) continue;
        expect(revoked.has(key)).toBe(false);
        if (approved.get(key) === answer.name) approved.delete(key);
        else if (before.get(answer.name) !== key) {
          expect([hasSecret, before.get(answer.name)]).toEqual([true, undefined]);
        }
      }
    }),
    runs(100),
  );
});

it.each([
  ['one address', () => '127.0.9.9'],
  ['two hundred addresses', (i: number) => `127.0.9.${i % 200}`],
])(
  'keeps Pis that ask, and those that are decided, when others fill the list from %s',
  async (_, from) => {
    const { ask, adopt, clock, waiting } = await openEnrolment();
    const [honest, decided] = ['c'.repeat(64), 'd'.repeat(64)];
    await ask(decided, '127.0.1.2', '20000000f00dcafe');
    await adopt(decided, false, 'rpi-2');
    await ask(honest, '127.0.1.1', '30000000f00dcafe');
    const [, { since } = { since: '' }] = waiting();

    for (let i = 0; i < 1300; i += 1) {
      await ask(i.toString(16).padStart(64, '0'), from(i), '40000000f00dcafe');
      clock.pass(20);
    }

    const kept = waiting();
    expect(kept.length).toBe(1000);
    expect(kept.filter(({ key }) => [honest, decided].includes(key))).toMatchObject([
      { key: decided },
      { key: honest, since },
    ]);
  },
);
