import fc from 'fast-check';
import { expect, it } from 'vitest';
import { formerEquipment, formerPath, renamed } from './former.ts';

const text = fc.string();
/** As the API has it now: the former names have no meaning. */
const key = fc
  .oneof(fc.constantFrom('equipment', 'where', 'constructor'), text)
  .filter((name) => !['device', 'devices', '__proto__'].includes(name));
const value = fc.oneof(fc.constant('equipment'), text).filter((word) => word !== 'device');
const { body } = fc.letrec((tie) => ({
  body: fc.oneof(
    { depthSize: 'small' },
    value,
    fc.integer(),
    fc.constant(null),
    fc.array(tie('body')),
    fc.dictionary(key, tie('body')),
  ),
}));

it.each([false, true])('names there and back, next to the new ones: %j', (keeps) => {
  fc.assert(
    fc.property(body, (now) => {
      const former = renamed(now, formerEquipment, 'was', keeps);

      expect(renamed(former, formerEquipment, 'now')).toEqual(now);
    }),
  );
});

it('are those of one value and of a list', () => {
  const now = { equipment: [{ equipment: 'switch-1', where: 'equipment' }], lost: [{ other: 1 }] };
  const former = { devices: [{ device: 'switch-1', where: 'device' }], lost: [{ other: 1 }] };

  expect(renamed(now, formerEquipment, 'was')).toEqual(former);
  expect(renamed(former, formerEquipment, 'was')).toEqual(former);
  expect(renamed({ equipment: 3 }, formerEquipment, 'was', true)).toEqual({
    equipment: 3,
    devices: 3,
  });
});

it('are not looked for in a body that is nested too deeply', () => {
  const deep = JSON.parse(`${'['.repeat(5000)}${']'.repeat(5000)}`);

  expect(() => renamed(deep, formerEquipment, 'now')).not.toThrow();
});

it.each([
  ['/v1/equipment/{equipment}/diff', '/v1/devices/{equipment}/diff'],
  ['/v1/backups', '/v1/backups'],
])('%s was %s', (path, was) => {
  expect(formerPath({ path, former: formerEquipment })).toBe(was);
});
