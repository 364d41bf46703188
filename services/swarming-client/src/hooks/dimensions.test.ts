import { runs } from '@skolo/base/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { dimensionsFor } from './dimensions.ts';
import {
  anyDimensions,
  anyView,
  machinePartWith,
  phone,
  reason,
  viewWith,
} from './testing/views.ts';

const since = new Date(0);
const given = { id: ['rpi-1'], os: ['Linux'], pool: ['Skia'], python: ['3.11'] };

describe('dimensionsFor', () => {
  it('gives back what was given, and the machine’s own in its place where no device is attached', () => {
    expect(dimensionsFor(given, viewWith())).toEqual({
      id: ['rpi-1'],
      os: ['Linux', 'Debian-13'],
      pool: ['Skia'],
      python: ['3.11'],
      cores: ['4'],
      skolo_health: ['ok'],
    });
  });

  it('are those of the phone, and none of the machine that it is attached to', () => {
    const dimensions = dimensionsFor(given, viewWith({ devices: [phone()] }));

    expect(dimensions).toEqual({
      id: ['rpi-1'],
      os: ['Android'],
      pool: ['Skia'],
      python: ['3.11'],
      android_devices: ['1'],
      device_type: ['walleye'],
      skolo_health: ['ok'],
    });
  });

  it('unites several devices, and counts those with Android', () => {
    const other = (name: string, deviceType: string) =>
      phone({
        name,
        reading: {
          dimensions: { os: ['Android'], android_devices: ['1'], device_type: [deviceType] },
          temperatures: {},
        },
      });
    const devices = [other('a', 'walleye'), other('b', 'oriole'), other('c', 'walleye')];

    expect(dimensionsFor(given, viewWith({ devices }))).toMatchObject({
      os: ['Android'],
      android_devices: ['3'],
      device_type: ['walleye', 'oriole'],
    });
  });

  it('keeps what a phone reported before it went missing', () => {
    const gone = phone({ state: 'missing', why: 'offline' });

    expect(dimensionsFor(given, viewWith({ devices: [gone] }))).toMatchObject({
      device_type: ['walleye'],
    });
  });

  it('adds the zone in its parts, and the dimensions of rack.yaml', () => {
    const machinePart = machinePartWith(
      '{ kind: rpi, identity: bots, metadata: { zone: us-skolo-1 }, swarming: { dimensions: { pool: [Phones], os: [Fuchsia] } } }',
    );

    expect(dimensionsFor(given, viewWith({ machinePart, devices: [phone()] }))).toMatchObject({
      zone: ['us', 'us-skolo', 'us-skolo-1'],
      pool: ['Phones'],
      os: ['Fuchsia'],
    });
  });

  it.each(['recovering', 'maintenance', 'quarantined'] as const)('says %s at once', (verdict) => {
    const health = { verdict, since, reasons: [reason(verdict, 'hot')] };

    expect(dimensionsFor(given, viewWith({ health }))).toMatchObject({ skolo_health: [verdict] });
  });

  it('is in maintenance as long as nothing is known', () => {
    const { reading: _, ...unread } = phone({ state: 'unknown' });

    for (const view of [viewWith({ machinePart: undefined }), viewWith({ devices: [unread] })]) {
      expect(dimensionsFor(given, view)).toEqual({
        ...dimensionsFor(given, viewWith(view.machinePart ? { host: {} } : {})),
        skolo_health: ['maintenance'],
      });
    }
  });

  it.each([[{}], [{ id: 'rpi-1' }], [{ id: [] }], [{ id: [7] }], [{ id: [''] }], [{ id: null }]])(
    'gives the id of the machine where there is none: %j',
    (strange) => {
      expect(dimensionsFor(strange, viewWith()).id).toEqual(['rpi-1']);
    },
  );

  it('cuts what is too long at a whole character', () => {
    const long = { a: ['é'.repeat(200)], b: [`${'x'.repeat(255)} y`], c: ['x'.repeat(256)] };

    const { a, b, c } = dimensionsFor(long, viewWith());

    expect({ a, b, c }).toEqual({
      a: ['é'.repeat(128)],
      b: ['x'.repeat(255)],
      c: ['x'.repeat(256)],
    });
  });

  it('drops keys that Swarming does not take', () => {
    const bad = { '': ['a'], '1a': ['a'], 'a b': ['a'], [`a${'b'.repeat(64)}`]: ['a'], é: ['a'] };
    const good = { 'a.b-c_1': ['a'], [`a${'b'.repeat(63)}`]: ['a'] };

    const dimensions = dimensionsFor({ ...bad, ...good }, viewWith());

    expect(dimensions).toMatchObject(good);
    expect(Object.keys(bad).filter((key) => Object.hasOwn(dimensions, key))).toEqual([]);
  });

  it('is always valid, and keeps the id', () => {
    fc.assert(
      fc.property(anyDimensions, anyView, fc.string({ minLength: 1 }), (more, view, id) => {
        const dimensions = dimensionsFor({ ...more, id: [id] }, view);

        expect(dimensions.id).toEqual([id]);
        for (const [key, values] of Object.entries(dimensions)) {
          if (key !== 'id') expect(problemWith(key, values)).toBeUndefined();
        }
      }),
      runs(500),
    );
  });

  it('gives back what was given and is valid, unless it knows better', () => {
    fc.assert(
      fc.property(anyDimensions, anyView, (more, view) => {
        const dimensions = dimensionsFor({ ...more, id: ['rpi-1'] }, view);
        const alone = dimensionsFor({ id: ['rpi-1'] }, view);

        expect(dimensions).toMatchObject(alone);
        for (const [key, values] of Object.entries(more)) {
          if (problemWith(key, values) === undefined && !Object.hasOwn(alone, key)) {
            expect(Object.getOwnPropertyDescriptor(dimensions, key)?.value).toEqual(values);
          }
        }
      }),
      runs(500),
    );
  });
});

/** The rules as the server has them, told in another way than the code does. */
function problemWith(key: string, values: readonly string[]): string | undefined {
  if (key.length > 64 || !/^[a-zA-Z_.-][0-9a-zA-Z_.-]*$/.test(key)) return `bad key ${key}`;
  if (values.length === 0) return `${key}: nothing`;
  if (new Set(values).size < values.length) return `${key}: twice the same`;
  for (const value of values) {
    if (value === '') return `${key}: empty`;
    if (new TextEncoder().encode(value).length > 256) return `${key}: too long`;
    if (value !== value.trim() || /^\p{Cc}|\p{Cc}$/u.test(value)) return `${key}: blanks`;
    if (encodeURIComponentFails(value)) return `${key}: half a character`;
  }
  return undefined;
}

function encodeURIComponentFails(text: string): boolean {
  try {
    encodeURIComponent(text);
    return false;
  } catch {
    return true;
  }
}
