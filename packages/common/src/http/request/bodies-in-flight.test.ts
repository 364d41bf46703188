import { describe, expect, it } from 'vitest';
import { BodiesInFlight } from './bodies-in-flight.ts';

const mebibyte = 2 ** 20;
const rejected = (status: number) => expect.objectContaining({ status });

describe('bodies in flight', () => {
  it('are rejected one by one if they exceed the memory of all, even alone', () => {
    const share = new BodiesInFlight(2 * mebibyte).share('send half of it');

    share.hold(2 * mebibyte);

    expect(() => share.hold(2 * mebibyte + 1)).toThrow(
      expect.objectContaining({
        status: 413,
        message: 'the body requires more than 2 MiB of memory; send half of it',
      }),
    );
  });

  it('are rejected for now if they exceed it together', () => {
    const bodies = new BodiesInFlight(100);
    const [one, another] = [bodies.share(), bodies.share()];

    one.hold(60);
    another.hold(40);
    expect(() => another.hold(41)).toThrow(rejected(503));
    one.hold(59);
    another.hold(41);
    another.release();
    another.release();
    one.hold(100);

    expect(() => another.hold(1)).toThrow(rejected(503));
  });
});
