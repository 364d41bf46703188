import type { IssuedToken } from '@skolo/google';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NoToken, RenewedToken } from './renewed-token.ts';

/** A clock that the test moves, and an upstream that answers when the test says so. */
function setUp(life = 3600) {
  const time = { uptime: 1000, wall: 0 };
  const pending: PromiseWithResolvers[] = [];
  const calls = { count: 0 };
  const token = new RenewedToken({
    clock: { now: () => time.wall, uptime: () => time.uptime },
    random: () => 0.5,
    backOff: (failures) => 10 * failures,
    mayCall: () => true,
    closing: new AbortController().signal,
    onSettled: () => undefined,
    issue: () => {
      calls.count += 1;
      return new Promise<IssuedToken>((resolve, reject) => pending.push({ resolve, reject }));
    },
  });

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
    token.renew();
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
    token.renew();
    await upstreamAnswers('a');
    time.uptime += 3001;

    expect(token.fresh()).toBeUndefined();
    const waiting = token.get(1e6);
    await upstreamAnswers('b');

    expect((await waiting).value).toBe('b');
  });

  it.each([601, 605, 700, 1200])(
    'of %i seconds is followed by the next one before it has less than ten minutes',
    async (life) => {
      const { time, token, upstreamAnswers } = setUp(life);
      token.renew();
      await upstreamAnswers('a');

      time.uptime += life - 599;
      const waiting = token.get(1e6);
      await upstreamAnswers('b');

      expect((await waiting).value).toBe('b');
    },
  );

  it('is served until it expires while upstream is down, then nothing', async () => {
    const { time, token, upstreamAnswers, upstreamFails } = setUp();
    token.renew();
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
    token.renew();
    await upstreamAnswers('a');
    time.uptime += 3001;
    token.renew();
    await upstreamFails();
    time.uptime += 10;

    expect((await token.get(1e6)).value).toBe('a');
    expect(calls.count).toBe(3);
  });

  it.each([1, 2, 3])('of %i seconds is not handed out with less than one left', async (life) => {
    const { time, token, upstreamAnswers } = setUp(life);
    token.renew();
    await upstreamAnswers('a');
    time.uptime += life - 0.9;
    expect(token.fresh()).toBeUndefined();
  });

  it('asks upstream no more often than the back-off allows, whoever asks for it', async () => {
    const { time, calls, token, upstreamFails } = setUp();
    token.renew();
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
    const { calls, token, upstreamAnswers } = setUp(20);
    token.renew();
    await upstreamAnswers();
    for (let i = 0; i < 50; i++) expect(token.fresh()).toBeDefined();
    expect(calls.count).toBe(1);
  });

  it('does not mind the wall clock', async () => {
    const { time, calls, token, upstreamAnswers } = setUp();
    token.renew();
    await upstreamAnswers('a');
    for (const jump of [1e15, -1e15, 0]) {
      time.wall += jump;
      expect(token.fresh()?.value).toBe('a');
    }
    expect(calls.count).toBe(1);
  });
});

it('never hands out an expired token, and asks upstream one call at a time, whatever happens', async () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant('wait' as const), seconds: fc.integer({ min: 0, max: 4000 }) }),
    fc.record({ kind: fc.constant('jump' as const), ms: fc.integer() }),
    fc.record({ kind: fc.constant('answer' as const), life: fc.integer({ min: 1, max: 7200 }) }),
    fc.record({ kind: fc.constant('fail' as const) }),
    fc.record({ kind: fc.constant('ask' as const) }),
    fc.record({ kind: fc.constant('tick' as const) }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
      const { time, calls, token, upstreamAnswers, upstreamFails } = setUp();
      let answered = 0;
      for (const [index, action] of steps.entries()) {
        if (action.kind === 'wait') time.uptime += action.seconds;
        if (action.kind === 'jump') time.wall += action.ms;
        if (action.kind === 'tick') token.renewIfDue();
        if (action.kind === 'ask') {
          const hungUp = AbortSignal.abort();
          const held = await token.get(0, hungUp).catch(() => undefined);
          if (held) expect(held.expiresAt).toBeGreaterThan(time.uptime);
        }
        if (action.kind === 'answer' || action.kind === 'fail') {
          if (calls.count > answered) {
            answered += 1;
            if (action.kind === 'answer') await upstreamAnswers(`t${index}`, action.life);
            else await upstreamFails();
          }
        }
        expect(calls.count - answered).toBeLessThanOrEqual(1);
      }
      await upstreamFails();
    }),
  );
});
