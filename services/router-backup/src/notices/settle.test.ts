import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Settle } from './settle.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});

function settling(settleSeconds = 60) {
  const quiet: string[] = [];
  const onQuiet = (device: string, notice: string) => void quiet.push(`${device} ${notice}`);
  const settle = new Settle({ settleSeconds: () => settleSeconds, onQuiet });
  return { settle, quiet };
}

function pass(seconds: number) {
  vi.advanceTimersByTime(seconds * 1000);
}

describe('Settle', () => {
  it('waits for the last notice', () => {
    const { settle, quiet } = settling();

    settle.add('switch-1', 'first');
    pass(59);
    settle.add('switch-1', 'second');
    pass(59);
    const before = [...quiet];
    pass(1);

    expect(before).toEqual([]);
    expect(quiet).toEqual(['switch-1 first']);
  });

  it('waits for each device by itself', () => {
    const { settle, quiet } = settling();

    settle.add('switch-1', 'a');
    pass(30);
    settle.add('switch-2', 'b');
    pass(30);
    const after = [...quiet];
    pass(30);

    expect(after).toEqual(['switch-1 a']);
    expect(quiet).toEqual(['switch-1 a', 'switch-2 b']);
  });

  it('does not wait for ever for one that goes on and on', () => {
    const { settle, quiet } = settling();

    for (let second = 0; second < 599; second += 1) {
      settle.add('switch-1', 'again');
      pass(1);
    }
    const before = [...quiet];
    settle.add('switch-1', 'again');
    pass(1);

    expect(before).toEqual([]);
    expect(quiet).toEqual(['switch-1 again']);
  });

  it('begins again after it was quiet', () => {
    const { settle, quiet } = settling();

    settle.add('switch-1', 'a');
    pass(60);
    settle.add('switch-1', 'b');
    pass(60);

    expect(quiet).toEqual(['switch-1 a', 'switch-1 b']);
  });

  it('does not let a device that reports being read be read for ever', () => {
    const { settle, quiet } = settling();
    const times: number[] = [];
    settle.add('switch-1', 'read');

    // Each reading sets off the next one.
    for (let second = 1; second <= 6 * 3600; second += 1) {
      pass(1);
      if (quiet.length === times.length) continue;
      times.push(second);
      settle.outcome('switch-1', false);
      settle.add('switch-1', 'read');
    }
    settle.outcome('switch-1', true);
    settle.add('switch-1', 'changed');
    pass(60);

    expect(times.slice(0, 7)).toEqual([60, 120, 240, 480, 960, 1920, 3840]);
    expect(times.length).toBeLessThan(14);
    expect(quiet).toHaveLength(times.length + 1);
  });

  it('forgets devices that have left', () => {
    const { settle, quiet } = settling();

    settle.add('switch-1', 'a');
    settle.add('switch-2', 'a');
    settle.retain(new Map([['switch-2', undefined]]));
    pass(60);
    settle.add('switch-2', 'b');
    settle.close();
    pass(60);

    expect(quiet).toEqual(['switch-2 a']);
    expect(vi.getTimerCount()).toBe(0);
  });
});
