import { runs } from '@skolo/base/testing';
import type { IssuedToken, TokenSource } from '@skolo/google';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Account } from './accounts.ts';
import { NoToken } from './renewed-token.ts';
import { Tokens } from './tokens.ts';

const identity: Account['identity'] = {
  name: 'a',
  project: 'p',
  projectNumber: '0',
  scopes: ['s'],
  credentials: { kind: 'fixed', file: 'token' },
  projectAttributes: {},
  universeDomain: 'googleapis.com',
};

/** A clock that the test moves, and an upstream that answers when the test says so. */
function setUp(life = 3600) {
  const time = { uptime: 1000, wall: 0 };
  const pending: PromiseWithResolvers[] = [];
  const calls = { count: 0 };
  const tokens = new Tokens({
    clock: { now: () => time.wall, uptime: () => time.uptime },
    random: () => 0.5,
    backOff: (failures) => 10 * failures,
    emit: () => undefined,
  });
  const source: TokenSource = {
    files: [],
    email: async () => undefined,
    accessToken() {
      calls.count += 1;
      return new Promise<IssuedToken>((resolve, reject) => pending.push({ resolve, reject }));
    },
  };
  const account: Account = { key: 'a', identity, source, stamp: '', email: undefined };
  tokens.setAccounts(new Map([['a', account]]));
  const known = tokens.accessToken(account, []);
  const token = {
    renewIfDue: () => tokens.tick(),
    fresh: () => tokens.fresh(known),
    unexpired: () => known.token.unexpired(),
    get: (patienceMs: number, signal?: AbortSignal) => tokens.get(known, patienceMs, signal),
    idle: () => known.token.idle(),
  };

  async function upstreamAnswers(
    value = `token-${calls.count}`,
    lifeSeconds = life,
  ): Promise<void> {
    pending.shift()?.resolve({ token: value, lifeSeconds });
    await token.idle();
  }

  async function upstreamFails(message = 'upstream is down'): Promise<void> {
    pending.shift()?.reject(new Error(message));
    await token.idle();
  }

  return { time, calls, token, upstreamAnswers, upstreamFails };
}

interface PromiseWithResolvers {
  resolve: (token: IssuedToken) => void;
  reject: (error: Error) => void;
}

describe('a first token', () => {
  it('is a failure while there is none, with the time to retry', async () => {
    const { token, upstreamFails } = setUp();
    const first = token.get(1e6);
    await upstreamFails();
    await expect(first).rejects.toMatchObject({
      code: 'NO_TOKEN',
      message: 'upstream is down',
      retryAfterSeconds: 10,
    });
  });

  it('goes on coming when those who waited have hung up', async () => {
    const { token, upstreamAnswers } = setUp();
    const hungUp = new AbortController();
    const waiting = token.get(1e6, hungUp.signal);
    hungUp.abort();
    await expect(waiting).rejects.toThrow(NoToken);

    await upstreamAnswers('a');

    expect(token.fresh()?.value).toBe('a');
  });
});

describe('a token in hand', () => {
  it('is renewed beside the way when about half of its life is over', async () => {
    const { time, calls, token, upstreamAnswers } = setUp();
    token.renewIfDue();
    await upstreamAnswers('a');
    time.uptime += 1700;
    expect(token.fresh()?.value).toBe('a');
    expect(calls.count).toBe(1);

    time.uptime += 200;
    expect(token.fresh()?.value).toBe('a');
    expect(calls.count).toBe(2);
    await upstreamAnswers('b');

    expect(token.fresh()?.value).toBe('b');
  });

  it('is not handed out below ten minutes while upstream works', async () => {
    const { time, token, upstreamAnswers } = setUp();
    token.renewIfDue();
    await upstreamAnswers('a');
    time.uptime += 3001;

    expect(token.fresh()).toBeUndefined();
    const waiting = token.get(1e6);
    await upstreamAnswers('b');

    expect((await waiting).value).toBe('b');
  });

  it.each([601, 605, 700, 1200])(
    'of %i seconds is followed by the next one before it has less than ten minutes, but not within 30 s',
    async (life) => {
      const { time, token, upstreamAnswers } = setUp(life);
      token.renewIfDue();
      await upstreamAnswers('a');

      time.uptime += life - Math.min(599, life - 31);
      const waiting = token.get(1e6);
      await upstreamAnswers('b');

      expect((await waiting).value).toBe('b');
    },
  );

  it('is served until it expires while upstream is down, then nothing', async () => {
    const { time, token, upstreamAnswers, upstreamFails } = setUp();
    token.renewIfDue();
    await upstreamAnswers('a');
    time.uptime += 3590;
    const waiting = token.get(1e6);
    await upstreamFails();
    expect((await waiting).value).toBe('a');

    time.uptime += 10;
    const late = token.get(1e6);
    await upstreamFails();

    await expect(late).rejects.toThrow('upstream is down');
  });

  it('is served at once while upstream, which failed before, does not respond', async () => {
    const { time, calls, token, upstreamAnswers, upstreamFails } = setUp();
    token.renewIfDue();
    await upstreamAnswers('a');
    time.uptime += 3001;
    token.renewIfDue();
    await upstreamFails();
    time.uptime += 10;

    expect((await token.get(1e6)).value).toBe('a');
    expect(calls.count).toBe(3);
  });

  it.each([60, 61, 700])(
    'of %i seconds is not handed out with less than one left',
    async (life) => {
      const { time, token, upstreamAnswers } = setUp(life);
      token.renewIfDue();
      await upstreamAnswers('a');
      time.uptime += life - 0.9;
      expect(token.fresh()).toBeUndefined();
      expect(token.unexpired()).toBeUndefined();
    },
  );

  it('asks upstream no more often than the back-off allows, whoever asks for it', async () => {
    const { time, calls, token, upstreamFails } = setUp();
    token.renewIfDue();
    await upstreamFails();
    for (let i = 0; i < 50; i++) await expect(token.get(1e6)).rejects.toThrow(NoToken);
    expect(calls.count).toBe(1);

    time.uptime += 10;
    token.renewIfDue();
    await upstreamFails();
    time.uptime += 19;
    token.renewIfDue();

    expect(calls.count).toBe(2);
  });

  it('is not renewed in a loop where upstream has only short or dying ones', async () => {
    const { calls, token, upstreamAnswers } = setUp(60);
    token.renewIfDue();
    await upstreamAnswers();
    for (let i = 0; i < 50; i++) expect(token.fresh()).toBeDefined();
    expect(calls.count).toBe(1);
  });

  it.each([60, 75, 120, 601, 3600])('of %i seconds is renewed every 30 s at most', async (life) => {
    const { time, calls, token, upstreamAnswers } = setUp(life);
    const calledAt: number[] = [];
    for (let second = 0; second < 900; second += 1) {
      token.renewIfDue();
      token.fresh();
      if (calls.count > calledAt.length) {
        calledAt.push(time.uptime);
        await upstreamAnswers();
      }
      expect(token.unexpired()).toBeDefined();
      time.uptime += 1;
      time.wall += 1000;
    }
    for (const [index, at] of calledAt.entries()) {
      if (index > 0) expect(at - (calledAt[index - 1] ?? 0)).toBeGreaterThanOrEqual(30);
    }
  });

  it('does not mind a wall clock that is set back, or ahead by less than its rest', async () => {
    const { time, calls, token, upstreamAnswers } = setUp();
    token.renewIfDue();
    await upstreamAnswers('a');
    for (const jump of [-1e15, 1e15, 1_500_000]) {
      time.wall += jump;
      expect(token.fresh()?.value).toBe('a');
    }
    expect(calls.count).toBe(1);
  });

  it.each([0, 10, 1700])(
    'is renewed, and not handed out, after a wall clock that jumps past its end: %i s after its issue',
    async (age) => {
      const { time, calls, token, upstreamAnswers, upstreamFails } = setUp();
      token.renewIfDue();
      await upstreamAnswers('a');
      time.uptime += age;
      time.wall += age * 1000 + 7_200_000;

      const waiting = token.get(1e6);
      await upstreamFails();
      await expect(waiting).rejects.toThrow('upstream is down');
      time.uptime += 10;
      const next = token.get(1e6);
      await upstreamAnswers('b');

      expect((await next).value).toBe('b');
      expect(calls.count).toBe(3);
    },
  );
});

it('expires by a wall clock that was set back while upstream was asked', async () => {
  const { time, token, upstreamAnswers } = setUp();
  token.renewIfDue();
  time.wall -= 7_200_000;
  await upstreamAnswers('a');
  // A pause, which the uptime does not count.
  time.wall += 3_600_000;

  expect(token.unexpired()).toBeUndefined();
});

it('never hands out an expired token, and asks upstream one call at a time, whatever happens', async () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant('wait' as const), seconds: fc.integer({ min: 0, max: 4000 }) }),
    fc.record({ kind: fc.constant('pause' as const), seconds: fc.integer({ min: 0, max: 9000 }) }),
    fc.record({ kind: fc.constant('jump' as const), ms: fc.integer() }),
    fc.record({ kind: fc.constant('answer' as const), life: fc.integer({ min: 60, max: 7200 }) }),
    fc.record({ kind: fc.constant('fail' as const) }),
    fc.record({ kind: fc.constant('ask' as const) }),
    fc.record({ kind: fc.constant('tick' as const) }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
      const { time, calls, token, upstreamAnswers, upstreamFails } = setUp();
      const expiries = new Map<string, { uptime: number; wall: number }>();
      let answered = 0;
      for (const [index, action] of steps.entries()) {
        if (action.kind === 'wait') {
          time.uptime += action.seconds;
          time.wall += action.seconds * 1000;
        }
        if (action.kind === 'pause') time.wall += action.seconds * 1000;
        if (action.kind === 'jump') time.wall += action.ms;
        if (action.kind === 'tick') token.renewIfDue();
        if (action.kind === 'ask') {
          const hungUp = AbortSignal.abort();
          const held = await token.get(0, hungUp).catch(() => undefined);
          const expiry = held && expiries.get(held.value);
          if (expiry) expect(expiry.uptime).toBeGreaterThan(time.uptime);
          if (expiry) expect(expiry.wall).toBeGreaterThan(time.wall);
        }
        if (action.kind === 'answer' || action.kind === 'fail') {
          if (calls.count > answered) {
            answered += 1;
            if (action.kind === 'answer') {
              // No more than this, because the call began earlier.
              const { uptime, wall } = time;
              const [life, at] = [action.life, { uptime, wall }];
              expiries.set(`t${index}`, { uptime: at.uptime + life, wall: at.wall + life * 1000 });
              await upstreamAnswers(`t${index}`, life);
            } else await upstreamFails();
          }
        }
        expect(calls.count - answered).toBeLessThanOrEqual(1);
      }
      await upstreamFails();
    }),
    runs(500),
  );
});
