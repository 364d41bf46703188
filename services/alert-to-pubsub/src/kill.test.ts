/**
 * `kill -9` at random moments, while alerts come in at two endpoints and Pub/Sub is there, away, or comes and goes: each
 * change that was answered with 200 arrives, in order for each alert, and nothing else does.
 */

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { countRounds, seeded } from '@skolo/base/durable/fault-injection';
import { tempDir, testSeed, untilTestEnds } from '@skolo/base/testing';
import { type GooglePubSub, type Relay, startRelay } from '@skolo/simulators';
import { expect, it } from 'vitest';
import { type AlertProcess, startAlertProcess } from './testing/alert-process.ts';
import { type Flipping, noticesOf, postUntilAccepted, problemsOf } from './testing/flips.ts';
import { newPubSub, rackYaml, topic } from './testing/lab.ts';

/** Few, as the service takes long to start. */
const kills = countRounds(1);
/** From the start on, or from when it publishes. A few live for long enough to try again what failed. */
const longestLifeMs = 400;
const longLifeMs = 2000;

type Internet = 'up' | 'down' | 'flapping' | 'uneven';
const internetStates: readonly Internet[] = ['up', 'down', 'flapping', 'uneven'];

async function contact(pubsub: GooglePubSub, relay: Relay) {
  pubsub.behave();
  await relay.open();
  await pubsub.callsSeen((pubsub.counts.requests.Publish ?? 0) + 2, 'Publish');
}

/** Until it is over, which leaves Pub/Sub as it is at that moment. */
async function disturb(
  pubsub: GooglePubSub,
  relay: Relay,
  internet: Internet,
  random: () => number,
  over: AbortSignal,
) {
  pubsub.behave();
  relay.mend();
  if (internet === 'up') return relay.open();
  if (internet === 'down') return relay.close();
  let lost = 0;
  const end = pubsub.onPublish(() => {
    // Some arrive, others before them do not.
    if (internet === 'uneven') pubsub.script({ code: 'UNAVAILABLE' }, { times: 1 });
    // Some answers are lost.
    else if (lost > 0) {
      lost -= 1;
      relay.cut();
    }
  });
  while (!over.aborted && internet === 'uneven') {
    await relay.open();
    relay.inject({ effect: 'wait', milliseconds: 5 });
    await sleep(random() * 80);
    relay.cut();
    relay.mend();
    pubsub.behave();
  }
  while (!over.aborted) {
    await relay.close();
    await sleep(random() * 40);
    // Some requests are done by half.
    const done = random() < 0.5 ? 'some' : 'all';
    pubsub.script({ code: 'UNAVAILABLE', done }, { times: 2 });
    pubsub.script({ code: 'UNAVAILABLE' }, { times: 2 });
    lost = 2;
    await relay.open();
    await sleep(random() * 150);
  }
  end();
}

it(`loses nothing that it accepted in ${kills} kills`, async () => {
  console.log(`kill -9 of alert-to-pubsub: ${kills} kills`);
  const random = seeded(testSeed());
  const pubsub = await newPubSub();
  const relay = untilTestEnds(await startRelay(pubsub));
  const dir = await tempDir();
  const settings = 'refreshSeconds: 1\nspool: { maxBytes: 4194304 }';
  await writeFile(join(dir, 'rack.yaml'), rackYaml(relay.endpoint, settings));
  const start = () => startAlertProcess(dir, 'testing/hasty-main.ts');
  let service: Promise<AlertProcess> = start();
  const statuses = new Set<number>();
  const over = new AbortController();

  /** One of the senders, one request after the other. */
  async function load(own: Flipping[]) {
    while (!over.signal.aborted) {
      const changing = own.filter(() => random() < 0.2);
      for (const each of changing) each.changes += 1;
      const endpoint = random() < 0.5 ? 'v2' : 'webhook';
      for (const status of await postUntilAccepted(() => service, endpoint, changing))
        statuses.add(status);
      await sleep(random() * 25);
    }
  }
  const flipping = Array.from(
    { length: 12 },
    (_, i): Flipping => ({ name: `alert-${i}`, changes: 0 }),
  );
  const loads = [0, 20, 40].map((from) => load(flipping.slice(from, from + 20)));

  for (let kill = 0; kill < kills; kill += 1) {
    const victim = await service;
    const settled = new AbortController();
    // Some die before they are connected, which takes a while.
    if (random() < 0.7) await contact(pubsub, relay);
    const internet = internetStates[Math.floor(random() * internetStates.length)] ?? 'up';
    const disturbed = disturb(pubsub, relay, internet, random, settled.signal);
    // The moment of the kill is what the test is about.
    await sleep(random() * (random() < 0.15 ? longLifeMs : longestLifeMs));
    service = victim.end('SIGKILL').then(start);
    settled.abort();
    await disturbed;
  }
  over.abort();
  await disturb(pubsub, relay, 'up', random, over.signal);
  await Promise.all(loads);
  const last = await service;
  await expect
    .poll(async () => (await last.client.status({})).sinks.map(({ depth }) => depth))
    .toEqual([0]);

  const published = pubsub.published(topic);
  expect(problemsOf(published, flipping)).toEqual([]);
  expect(noticesOf(published).filter(({ body }) => body.alertname !== 'AlertDeliveryGap')).toEqual(
    [],
  );
  // A full spool answers 503.
  expect([...statuses].filter((status) => ![200, 503].includes(status))).toEqual([]);
  expect(await last.end('SIGTERM')).toBe(0);
});
