/** Tokens whose audience or scopes the caller chooses: one machine may choose ever new ones. */
import { type FakeClock, fakeClock } from '@skolo/common/testing';
import { describe, expect, it } from 'vitest';
import type { Reply } from '../testing/http.ts';
import { rackYaml, self, startRack, startTestGoogle, type TestRack } from '../testing/rack.ts';

const greedy = '127.0.1.1';
const other = '127.0.1.2';

/** Callers give up soon, and the calls of the server never end. */
const limits = { patienceMs: 500, upstreamMs: 3_600_000 };

function idToken(rack: TestRack, audience: string, from: string): Promise<Reply> {
  return rack.get(`instance/service-accounts/default/identity?audience=${audience}`, { from });
}

interface Racked {
  rack: TestRack;
  clock: FakeClock;
}

/** As Google's clients do: a 503 is tried again a second later. */
async function patiently(clock: FakeClock, ask: () => Promise<Reply>): Promise<Reply> {
  const reply = await ask();
  if (reply.status !== 503) return reply;
  clock.pass(1_000);
  return await patiently(clock, ask);
}

function idTokens({ rack, clock }: Racked, count: number, name: string): Promise<Reply[]> {
  const audiences = Array.from({ length: count }, (_, i) => `${name}-${i}`);
  return Promise.all(audiences.map((each) => patiently(clock, () => idToken(rack, each, greedy))));
}

function statusesOf(replies: readonly Reply[]): Record<number, number> {
  const counts: Record<number, number> = {};
  for (const { status } of replies) counts[status] = (counts[status] ?? 0) + 1;
  return counts;
}

describe('a machine that chooses ever new audiences', () => {
  it('has two upstream calls at a time, and other machines get their tokens meanwhile', async () => {
    const clock = fakeClock(Date.now());
    const google = await startTestGoogle(undefined, clock);
    const relay = await google.behindRelay();
    const rack = await startRack({ google, clock, ...limits });
    await patiently(clock, () => rack.token());
    // The silence would also count the other identity's own call if that were still in progress.
    await patiently(clock, () => rack.token({ from: self }));
    const silence = relay.inject({ effect: 'silence' });
    const asking = Array.from({ length: 30 }, (_, i) => idToken(rack, `x-${i}`, greedy));
    await silence.struck(2);
    const replies = await Promise.all(asking);
    silence.end();

    const served = await patiently(clock, () => idToken(rack, 'y', other));
    expect(served.status).toBe(200);
    expect(statusesOf(replies)).toEqual({ 429: 20, 503: 10 });
    for (const { headers } of replies) expect(headers).toHaveProperty('retry-after');
    expect(silence.hits).toBe(2);
  });

  it('may choose ten at once, and ten more a minute later', async () => {
    const clock = fakeClock(Date.now());
    const google = await startTestGoogle(undefined, clock);
    const rack = await startRack({ google, clock });
    await rack.token();

    expect(statusesOf(await idTokens({ rack, clock }, 10, 'first'))).toEqual({ 200: 10 });
    const beyond = await idToken(rack, 'one-more', greedy);
    // Waiting for a place in the queue moves the clock.
    const retryAfter = expect.stringMatching(/^[1-6]$/);
    expect(beyond).toMatchObject({ status: 429, headers: { 'retry-after': retryAfter } });
    expect(beyond.headers).toHaveProperty('metadata-flavor', 'Google');
    expect((await idToken(rack, 'first-0', greedy)).status).toBe(200);
    const another = await patiently(clock, () => idToken(rack, 'one-more', other));
    expect(another.status).toBe(200);
    clock.pass(60_000);
    expect(statusesOf(await idTokens({ rack, clock }, 10, 'second'))).toEqual({ 200: 10 });
  });

  it('takes no token away that another machine has', async () => {
    const clock = fakeClock(Date.now());
    const google = await startTestGoogle(undefined, clock);
    const rack = await startRack({ google, clock });
    await patiently(clock, () => idToken(rack, 'mine', other));
    for (let minute = 0; minute < 12; minute += 1) {
      await idTokens({ rack, clock }, 10, `at-${minute}`);
      clock.pass(60_000);
    }
    const before = google.calls.length;

    expect((await idToken(rack, 'mine', other)).status).toBe(200);
    expect(google.calls.length).toBe(before);
  });
});

it('sets of scopes are counted like audiences', async () => {
  const scopes = ['a', 'b', 'c', 'd'].map((name) => `https://www.googleapis.com/auth/${name}`);
  const yaml = rackYaml.replace(/scopes: \[.*\]/, `scopes: [${scopes.join(', ')}]`);
  const clock = fakeClock(Date.now());
  const google = await startTestGoogle(undefined, clock);
  const rack = await startRack({ google, clock, yaml });
  /** All but none and all of them. */
  const sets = Array.from({ length: 14 }, (_, i) =>
    scopes.filter((_scope, bit) => ((i + 1) >> bit) % 2 === 1).join(','),
  );
  const replies: Reply[] = [];

  for (const set of sets) {
    replies.push(await patiently(clock, () => rack.token({ query: `?scopes=${set}` })));
  }

  expect(statusesOf(replies)).toEqual({ 200: 10, 429: 4 });
  expect((await rack.token({ query: `?scopes=${sets.at(-1)}`, from: other })).status).toBe(200);
  expect((await rack.token()).status).toBe(200);
});
