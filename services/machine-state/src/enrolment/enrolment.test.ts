import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLogger } from '@skolo/common';
import { fakeClock } from '@skolo/common/testing';
import { Journal } from '@skolo/durable';
import { parseRack } from '@skolo/rack';
import { Secret } from '@skolo/secrets';
import { expect, it, onTestFinished } from 'vitest';
import { openRecords } from '../orders/records.ts';
import { settlingMs } from './decide.ts';
import { Enrolment } from './enrolment.ts';

const serial = '10000000f00dcafe';
const [former, later] = ['a'.repeat(64), 'b'.repeat(64)];
const yaml = `rack: rack4
timezone: Europe/Berlin
network: { subnet: 127.0.0.0/8 }
jumphost: { name: jumphost, address: 127.0.0.1 }
machines: { rpi-1: { kind: rpi, serial: "${serial}" }, rpi-2: { kind: rpi } }`;

/** Machines are dead, unless a test adds them to `ready`. */
async function openEnrolment() {
  const dir = await mkdtemp(join(tmpdir(), 'skolo-enrolment-'));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  const journal = await Journal.open(join(dir, 'journal'));
  onTestFinished(() => journal.close());
  const records = openRecords({ journal: () => journal, onTrouble() {}, onWell() {} });
  const clock = fakeClock('2026-11-22T12:00:00Z');
  const rack = parseRack(yaml, { file: join(dir, 'rack.yaml') });
  const ready = new Set<string>();
  const cluster = { tokens: 0, forgotten: 0 };
  const enrolment = new Enrolment({
    ...{ rack: () => rack, clock, records, isOpen: () => true, isAgentAlive: () => false },
    log: createLogger({ service: 'test', level: 'fatal' }),
    cluster: {
      readyNodes: async () => new Set(ready),
      forget: async () => {
        cluster.forgotten += 1;
      },
      newToken: async () => {
        cluster.tokens += 1;
        return new Secret(`token-${cluster.tokens}`);
      },
    },
  });
  const { secret } = await enrolment.newSecret(30, 'ann');
  const ask = (key: string, from = '127.0.1.1', board = serial) =>
    enrolment.ask(key, { serial: board, macs: [], model: 'Pi', secret }, from);
  const adopt = (key: string, force = false, name = 'rpi-1', by = 'ann') =>
    enrolment.adopt({ key, name, reason: 'it is this one', force }, by);
  const waiting = () => enrolment.list().waiting;
  return { ask, adopt, clock, ready, cluster, waiting };
}

it('uses up a decision that confirms the name of a card: a later card keeps the name', async () => {
  const { ask, adopt, clock, ready } = await openEnrolment();
  expect(await ask(former)).toMatchObject({ name: 'rpi-1' });
  ready.add('rpi-1');
  clock.pass(settlingMs);
  expect(await ask(former)).toMatchObject({ wait: 'alive' });
  await adopt(former, true);
  expect(await ask(former)).toMatchObject({ name: 'rpi-1' });

  ready.clear();
  clock.pass(settlingMs);
  expect(await ask(later)).toMatchObject({ name: 'rpi-1' });
  ready.add('rpi-1');
  clock.pass(settlingMs);

  expect(await ask(former)).toMatchObject({ wait: 'alive', name: 'rpi-1' });
});

it('makes a new token for a card that gets its name back from another one', async () => {
  const { ask, adopt, cluster } = await openEnrolment();
  await ask(former);
  await ask(later);
  await adopt(later);
  await ask(later);
  await ask(former);
  await adopt(former);
  expect(cluster).toMatchObject({ tokens: 2, forgotten: 2 });

  expect(await ask(former)).toMatchObject({ name: 'rpi-1' });

  expect(cluster).toMatchObject({ tokens: 3, forgotten: 3 });
});

it('gives the name to the card of the last decision, whichever card asks last', async () => {
  const { ask, adopt, ready } = await openEnrolment();
  ready.add('rpi-1');
  await ask(former);
  await ask(later);
  await adopt(former, true);

  await adopt(later, true);

  expect(await ask(later)).toMatchObject({ name: 'rpi-1' });
  expect(await ask(former)).toMatchObject({ wait: 'alive', name: 'rpi-1' });
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
    { reason: { status: 409, message: expect.stringMatching(/is rpi-1 already, as ann decided/) } },
  ]);
  // A repetition is no second decision, and one that is meant is possible.
  await adopt(later, false, 'rpi-1', 'ann');
  await adopt(later, true, 'rpi-2', 'ben');
  expect(await ask(later, '127.0.1.2', '20000000f00dcafe')).toMatchObject({ name: 'rpi-2' });
  ready.add('rpi-2');
  clock.pass(settlingMs);
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
