import { runs } from '@skolo/base/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseObjectName } from './name.ts';
import type { StoredObject } from './place.ts';
import { expired } from './retention.ts';

const now = Date.parse('2026-11-20T12:00:00Z');
const aDay = 86_400_000;

function stored(device: string, daysAgo: number, content = daysAgo): StoredObject {
  const time = new Date(now - daysAgo * aDay).toISOString();
  const sha1 = content.toString(16).padStart(40, '0');
  return { name: `${time.slice(0, 10)}-${device}-${sha1}.gz`, size: 1, time };
}

const anyObject = fc.oneof(
  fc
    .tuple(
      fc.constantFrom('router', 'switch-1', 'switch-10', 'switch'),
      fc.integer({ min: 0, max: 60 }),
      fc.integer({ min: 0, max: 3 }),
      fc.constantFrom('', '.age'),
    )
    .map(([device, daysAgo, content, age]) => {
      const object = stored(device, daysAgo, content);
      return { ...object, name: object.name + age };
    }),
  fc.constantFrom('README', 'lost+found', '2026-01-01-router.gz', '.skolo-backups').map((name) => ({
    name,
    size: 1,
    time: new Date(now - 1000 * aDay).toISOString(),
  })),
);
const anyObjects = fc.uniqueArray(anyObject, { selector: ({ name }) => name, maxLength: 60 });
const anyRetention = fc.record({
  days: fc.integer({ min: 1, max: 40 }),
  versions: fc.integer({ min: 1, max: 5 }),
});

describe('expired', () => {
  it('removes what is older than the days, but for the newest of each device', () => {
    const objects = [
      ...[1, 11, 12, 13, 14].map((age) => stored('router', age)),
      ...[20, 30].map((age) => stored('switch-1', age)),
    ];

    const names = expired(objects, { days: 12, versions: 2 }, now).map(({ name }) => name);

    expect(names).toEqual([stored('router', 14).name, stored('router', 13).name]);
  });

  it('counts what is stored encrypted and not as one version, and removes both', () => {
    const twice = [20, 30].flatMap((age) => {
      const object = stored('router', age);
      return [object, { ...object, name: `${object.name}.age` }];
    });

    const gone = expired(twice, { days: 1, versions: 1 }, now);

    expect(gone).toEqual(twice.slice(2));
  });

  it('goes by the day in the name where the time is that of a copy', () => {
    const copied = [20, 30].map((age) => ({
      ...stored('router', age),
      time: new Date(now).toISOString(),
    }));

    expect(expired(copied, { days: 25, versions: 1 }, now)).toEqual([copied[1]]);
  });

  it('never removes the newest versions of a device', () => {
    fc.assert(
      fc.property(anyObjects, anyRetention, (objects, retention) => {
        const gone = new Set(expired(objects, retention, now));

        for (const device of ['router', 'switch-1', 'switch-10', 'switch']) {
          const versionOf = ({ name }: StoredObject) => name.replace(/\.age$/, '');
          const ofDevice = objects.filter(({ name }) => parseObjectName(name)?.device === device);
          const versions = new Set(ofDevice.map(versionOf));
          const left = new Set(ofDevice.filter((object) => !gone.has(object)).map(versionOf));
          expect(left.size).toBeGreaterThanOrEqual(Math.min(versions.size, retention.versions));
          const youngestGone = Math.max(
            ...ofDevice.filter((object) => gone.has(object)).map(({ time }) => Date.parse(time)),
          );
          const younger = ofDevice.filter(({ time }) => Date.parse(time) >= youngestGone);
          if (gone.size > 0 && youngestGone > 0) {
            expect(new Set(younger.map(versionOf)).size).toBeGreaterThan(retention.versions);
          }
        }
      }),
      runs(200),
    );
  });

  it('only removes what is older than the days, and never what is not ours', () => {
    fc.assert(
      fc.property(anyObjects, anyRetention, (objects, retention) => {
        for (const object of expired(objects, retention, now)) {
          expect(objects).toContain(object);
          expect(parseObjectName(object.name)).toBeDefined();
          expect(now - Date.parse(object.time)).toBeGreaterThan(retention.days * aDay);
        }
      }),
      runs(200),
    );
  });

  it('removes nothing more when it is asked again', () => {
    fc.assert(
      fc.property(anyObjects, anyRetention, (objects, retention) => {
        const gone = expired(objects, retention, now);
        const left = objects.filter((object) => !gone.includes(object));

        expect(expired(left, retention, now)).toEqual([]);
      }),
      runs(200),
    );
  });
});
