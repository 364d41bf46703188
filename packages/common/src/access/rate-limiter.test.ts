import { describe, expect, it } from 'vitest';
import { RateLimiter } from './rate-limiter.ts';

function limiter(perSecond: number, burst: number) {
  const time = { ms: 0 };
  return { time, limiter: new RateLimiter({ perSecond, burst }, () => time.ms) };
}

describe('a caller', () => {
  it('may send a burst, and then so many a second', () => {
    const { time, limiter: limit } = limiter(10, 3);
    expect([1, 2, 3].map(() => limit.take('a'))).toEqual([0, 0, 0]);
    expect(limit.take('a')).toBeCloseTo(0.1);

    time.ms = 100;

    expect(limit.take('a')).toBe(0);
    expect(limit.take('a')).toBeGreaterThan(0);
  });

  it('does not count for another one', () => {
    const { limiter: limit } = limiter(1, 1);
    expect(limit.take('a')).toBe(0);
    expect(limit.take('a')).toBeGreaterThan(0);
    expect(limit.take('b')).toBe(0);
  });

  it('is forgotten once its bucket is full again', () => {
    const { time, limiter: limit } = limiter(1, 5);
    limit.take('a');
    limit.forgetIdle();
    expect(limit.size).toBe(1);

    time.ms = 1000;
    limit.forgetIdle();

    expect(limit.size).toBe(0);
  });
});

it('takes a new limit at once', () => {
  const { time, limiter: limit } = limiter(1, 1);
  limit.take('a');
  time.ms = 1;
  limit.setLimit({ perSecond: 1e9, burst: 10 });
  limit.take('a');
  expect(limit.take('a')).toBe(0);
});
