import { runs } from '@skolo/base/testing';
import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { DeviceRejected, DeviceTimeout, DeviceUnreachable, SignInRejected } from '../errors.ts';
import { SessionPool } from './pool.ts';

class FakeSession {
  readonly number: number;
  closed = 0;
  private readonly device: FakeDevice;

  constructor(device: FakeDevice, number: number) {
    this.device = device;
    this.number = number;
  }

  isOpen() {
    return this.closed === 0 && !this.device.isDead;
  }

  async close() {
    if (this.closed === 0) this.device.open -= 1;
    this.closed += 1;
  }
}

/** Counts its sessions. */
class FakeDevice {
  opened = 0;
  open = 0;
  most = 0;
  isDead = false;

  connect = async () => {
    this.opened += 1;
    this.open += 1;
    this.most = Math.max(this.most, this.open);
    return new FakeSession(this, this.opened);
  };
}

function setUp(idleMs = 10_000) {
  return { device: new FakeDevice(), pool: new SessionPool({ idleMs }) };
}

/** Work that continues until it is told to end. */
function held() {
  let end = () => {};
  const promise = new Promise<void>((resolve) => {
    end = resolve;
  });
  return { work: () => promise, end: () => end() };
}

const none = new AbortController().signal;
const quick = async (session: FakeSession) => session.number;

describe('a pool of sessions', () => {
  it('opens one session for all that is asked of a device in a moment', async () => {
    const { device, pool } = setUp();

    const asked = Array.from({ length: 10 }, () =>
      pool.use('switch-1', device.connect, quick, none),
    );
    const numbers = await Promise.all(asked);
    await pool.close();

    expect(new Set(numbers)).toEqual(new Set([1]));
    expect(device).toMatchObject({ opened: 1, most: 1, open: 0 });
  });

  it('has never two sessions with a device, and lets others have theirs meanwhile', async () => {
    const { device, pool } = setUp(0);
    const other = new FakeDevice();
    const first = held();
    const order: number[] = [];

    const begun = pool.use('switch-1', device.connect, first.work, none);
    const waiting = [1, 2, 3].map((number) =>
      pool.use('switch-1', device.connect, async () => void order.push(number), none),
    );
    await pool.use('switch-2', other.connect, quick, none);
    expect(order).toEqual([]);
    first.end();
    await Promise.all([begun, ...waiting]);
    await pool.close();

    expect(order).toEqual([1, 2, 3]);
    expect(device).toMatchObject({ most: 1, open: 0 });
    expect(other).toMatchObject({ opened: 1, open: 0 });
  });

  it('closes what nobody has used for a while', async () => {
    const { device, pool } = setUp(1);

    await pool.use('switch-1', device.connect, quick, none);

    await vi.waitFor(() => expect(device.open).toBe(0));
    expect(await pool.use('switch-1', device.connect, quick, none)).toBe(2);
    await pool.close();
  });

  it.each([
    ['keeps', new DeviceRejected('switch-1', 'no'), 1],
    ['keeps', new SignInRejected('switch-1', 'no'), 1],
    ['throws away', new DeviceTimeout('switch-1', 'no'), 2],
    ['throws away', new DeviceUnreachable('switch-1', 'no'), 2],
    ['throws away', new TypeError('an error'), 2],
  ])('%s a session after %s', async (_what, error, next) => {
    const { device, pool } = setUp();
    const fail = async () => {
      throw error;
    };

    await expect(pool.use('switch-1', device.connect, fail, none)).rejects.toBe(error);

    expect(await pool.use('switch-1', device.connect, quick, none)).toBe(next);
    expect(device.open).toBe(1);
    await pool.close();
  });

  it('does not use a session that died while it was kept', async () => {
    const { device, pool } = setUp();
    await pool.use('switch-1', device.connect, quick, none);

    device.isDead = true;

    expect(await pool.use('switch-1', device.connect, quick, none)).toBe(2);
    await pool.close();
    expect(device.open).toBe(0);
  });

  it('lets the next one try when a session cannot be opened', async () => {
    const { device, pool } = setUp();
    const reject = async () => {
      throw new DeviceUnreachable('switch-1', 'is off');
    };

    const first = pool.use('switch-1', reject, quick, none);
    const second = pool.use('switch-1', device.connect, quick, none);

    await expect(first).rejects.toThrow('is off');
    expect(await second).toBe(1);
    await pool.close();
  });

  it('lets go of who waits and is told to stop, and forgets nobody behind it', async () => {
    const { device, pool } = setUp();
    const first = held();
    const impatient = new AbortController();
    const reason = new Error('enough');

    const begun = pool.use('switch-1', device.connect, first.work, none);
    const second = pool.use('switch-1', device.connect, quick, impatient.signal);
    const third = pool.use('switch-1', device.connect, quick, none);
    impatient.abort(reason);
    await expect(second).rejects.toBe(reason);
    first.end();

    expect(await third).toBe(1);
    await begun;
    await pool.close();
  });

  it('does not open anything for who has stopped already', async () => {
    const { device, pool } = setUp();

    const asked = pool.use('switch-1', device.connect, quick, AbortSignal.abort(new Error('late')));

    await expect(asked).rejects.toThrow('late');
    expect(device.opened).toBe(0);
    await pool.close();
  });

  it('ends the session that it keeps on demand', async () => {
    const { device, pool } = setUp();
    await pool.use('switch-1', device.connect, quick, none);

    await pool.end('switch-1');
    await pool.end('unknown');

    expect(device.open).toBe(0);
    await pool.close();
  });

  it('ends everything when it is closed', async () => {
    const { device, pool } = setUp();
    const untilAborted = (_: FakeSession, signal: AbortSignal) =>
      new Promise<void>((_resolve, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason));
      });

    const working = pool.use('switch-1', device.connect, untilAborted, none);
    const waiting = pool.use('switch-1', device.connect, quick, none);
    const ended = Promise.allSettled([working, waiting]);
    await vi.waitFor(() => expect(device.open).toBe(1));
    await pool.close();

    expect((await ended).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(device.open).toBe(0);
    await expect(pool.use('switch-1', device.connect, quick, none)).rejects.toThrow('closed');
  });

  it('never loses count, whatever fails and whoever stops', async () => {
    const turn = fc.record({
      outcome: fc.constantFrom('good', 'rejected', 'lost', 'not opened'),
      steps: fc.nat(3),
      stopsAfter: fc.option(fc.nat(6)),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(turn, { maxLength: 12 }), fc.boolean(), async (turns, closes) => {
        const { device, pool } = setUp(0);

        const asked = turns.map(async ({ outcome, steps, stopsAfter }) => {
          const stop = new AbortController();
          if (stopsAfter !== null) void ticks(stopsAfter).then(() => stop.abort());
          const open = async () => {
            await ticks(1);
            if (outcome === 'not opened') throw new DeviceUnreachable('switch-1', 'is off');
            return await device.connect();
          };
          const work = async () => {
            await ticks(steps);
            if (outcome === 'rejected') throw new DeviceRejected('switch-1', 'no');
            if (outcome === 'lost') throw new DeviceUnreachable('switch-1', 'is gone');
          };
          await pool.use('switch-1', open, work, stop.signal);
        });
        if (closes) await pool.close();
        await Promise.allSettled(asked);
        await pool.close();

        expect(device.open).toBe(0);
        expect(device.most).toBeLessThanOrEqual(1);
      }),
      runs(500),
    );
  });
});

async function ticks(count: number) {
  for (let index = 0; index < count; index += 1) await new Promise(setImmediate);
}
