import { expect, it } from 'vitest';
import { DeviceBusy, type DeviceError } from '../errors.ts';
import { Memory } from './memory.ts';

const mebibyte = 1024 * 1024;

/** Room for answers of ten MiB, of which the process needs three copies. */
function start() {
  const memory = new Memory(30 * mebibyte);
  const failed: DeviceError[] = [];
  return { failed, open: (device: string) => memory.open(device, (why) => failed.push(why)) };
}

it('the largest answer fails if answers do not fit into memory', () => {
  const { open, failed } = start();
  const [large, small, other] = [open('switch-1'), open('switch-2'), open('switch-3')];
  large.grow(7 * mebibyte);
  small.grow(3 * mebibyte);
  expect(failed).toEqual([]);

  other.grow(2 * mebibyte);

  expect(failed).toHaveLength(1);
  expect(failed[0]).toBeInstanceOf(DeviceBusy);
  expect(failed[0]?.message).toBe(
    'switch-1: its answers (7 MiB so far) do not fit into memory beside others',
  );
  small.grow(5 * mebibyte);
  expect(failed).toHaveLength(1);
});

it('an answer that is larger than all memory fails alone', () => {
  const { open, failed } = start();
  open('switch-1').grow(mebibyte);

  open('switch-2').grow(11 * mebibyte);

  expect(failed.map(({ device }) => device)).toEqual(['switch-2']);
});

it.each(['settle', 'release'] as const)('there is room again after a %s', (end) => {
  const { open, failed } = start();
  const one = open('switch-1');
  one.grow(9 * mebibyte);

  one[end]();
  open('switch-2').grow(6 * mebibyte);

  expect(failed).toEqual([]);
});
