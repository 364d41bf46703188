import { describe, expect, it } from 'vitest';
import { oneDevice } from './one-device.ts';

const phone = { name: 'phone' };
const tablet = { name: 'tablet' };

describe('oneDevice', () => {
  it('is the named one, or the only one', () => {
    expect(oneDevice([phone, tablet], 'tablet', '')).toBe(tablet);
    expect(oneDevice([phone], undefined, '')).toBe(phone);
  });

  it.each([
    [[], undefined, 'rack.yaml does not list any devices for this machine'],
    [[], 'phone', 'rack.yaml does not list any devices for this machine'],
    [[phone, tablet], undefined, 'several devices; specify one; the machine has: …'],
    [[phone], 'watch', 'no device watch; the machine has: …'],
  ])('%j, %s: %s', (devices, name, detail) => {
    expect(() => oneDevice(devices, name, 'the machine has: …')).toThrow(
      expect.objectContaining({ status: 404, message: detail }),
    );
  });
});
