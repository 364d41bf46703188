/**
 * Five machines of a rack are hostile, for ten minutes (`--hours N` for more): they send all services unfinished headers, silent
 * connections, mutated requests and ever new audiences, and their agents lie. Meanwhile the others keep their tokens, power cycles
 * and orders, and alerts arrive.
 */
import { isLong, seeded } from '@skolo/base/durable/fault-injection';
import { testSeed } from '@skolo/base/testing';
import { expect, it, onTestFinished } from 'vitest';
import { attacks, lies, startLyingAgent } from './attacks.ts';
import { addressOf, outlets, serviceNames, startHealthyRack } from './rack.ts';

const hostile = Object.keys(lies).length;
const size = isLong ? 300 : 30;
const hours = Number(process.env.SKOLO_HOURS ?? (isLong ? 1 / 6 : 0));

it(`keeps ${size - hostile} machines working beside ${hostile} hostile ones`, async () => {
  const random = seeded(testSeed());
  const liars = [];
  for (const [i, lie] of Object.values(lies).entries()) {
    liars.push(await startLyingAgent(addressOf(i), `rpi-${i + 1}`, () => lie(random)));
  }
  const rack = await startHealthyRack(size, liars);
  const over = new AbortController();
  onTestFinished(() => over.abort());
  const targets = serviceNames.map((name) => ({
    host: '127.0.0.1',
    port: Number(new URL(rack.services[name].url).port),
  }));
  const running = attacks.flatMap((attack, i) =>
    targets.map((target) => attack.run(target, addressOf(i), random, over.signal)),
  );
  const honest = rack.machines.slice(hostile);
  const pick = (most: number) => honest[Math.floor(random() * (most - hostile))] ?? honest[0];
  const end = performance.now() + hours * 3_600_000;
  let rounds = 0;

  do {
    rounds += 1;
    await Promise.all(honest.map((machine) => rack.token(machine)));
    const [ordered, cycled] = [pick(size), pick(Math.min(size, outlets))];
    if (ordered === undefined || cycled === undefined) throw new Error('no honest machine');
    await Promise.all([rack.order(ordered), rack.powerCycle(cycled), rack.alert(`Round${rounds}`)]);
  } while (performance.now() < end);

  over.abort();
  // The journal is new, so that a machine may take itself out of service, in nobody's name.
  const forger = Object.keys(lies).indexOf('orders of other people') + 1;
  expect(await rack.orders()).toEqual([`rpi-${forger}: nobody`]);
  const counts = await Promise.all(running);
  expect(Math.min(...counts)).toBeGreaterThan(0);
  console.log(
    `${rounds} rounds; ${counts.reduce((sum, each) => sum + each, 0)} hostile connections`,
  );
});
