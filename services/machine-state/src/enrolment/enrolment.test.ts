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
machines: { rpi-1: { kind: rpi, serial: "${serial}" } }`;

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
  const ask = (key: string) =>
    enrolment.ask(key, { serial, macs: [], model: 'Pi', secret }, '127.0.1.1');
  const adopt = (key: string, force = false) =>
    enrolment.adopt({ key, name: 'rpi-1', reason: 'it is this one', force }, 'ann');
  return { ask, adopt, clock, ready, cluster };
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
