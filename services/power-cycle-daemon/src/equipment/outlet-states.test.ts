import { runs } from '@skolo/base/testing';
import type { OutletState } from '@skolo/equipment/models/outlets';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { OutletStates } from './outlet-states.ts';

const names = ['1', '2', '3', '4'];
interface Act {
  outlet: string;
  to: OutletState;
  takesMs: number;
  isIgnored: boolean;
}

type Real = Record<string, OutletState>;

const anyAct: fc.Arbitrary<Act> = fc.record({
  outlet: fc.constantFrom(...names),
  to: fc.constantFrom<OutletState>('on', 'off'),
  /** How long after the command a reading shows its effect, if at all. */
  takesMs: fc.integer({ min: 0, max: 3000 }),
  isIgnored: fc.boolean(),
});

/** Readings every 500 ms while commands have their effects; some outlets are not read each time. */
function watch(acts: readonly Act[], pressed?: { at: number; outlet: string }) {
  const states = new OutletStates();
  const real: Real = Object.fromEntries(names.map((name) => [name, 'on']));
  const effects: { at: number; outlet: string; to: OutletState }[] = [];
  if (pressed) effects.push({ ...pressed, to: 'off' });
  const all = () =>
    new Map(names.map((name) => [name, { state: real[name] ?? 'unknown' }] as const));
  let now = 1000;
  states.read(all(), now);
  const moved = new Set<string>();
  for (const { outlet, to, takesMs, isIgnored } of acts) {
    now += 250;
    states.commanded(outlet, [to], now);
    if (!isIgnored) effects.push({ at: now + takesMs, outlet, to });
    for (const end = now + 4000; now < end; now += 500) {
      for (const effect of effects.splice(0)) {
        if (effect.at <= now) real[effect.outlet] = effect.to;
        else effects.push(effect);
      }
      states.read(all(), now);
    }
    for (const [name] of states.takeMoved(outlet)) moved.add(name);
  }
  return moved;
}

it('nothing moved by our own commands was moved by nobody', () => {
  fc.assert(
    fc.property(fc.array(anyAct, { maxLength: 12 }), (acts) => {
      expect([...watch(acts)]).toEqual([]);
    }),
    runs(100),
  );
});

it('what the last process turned off and on was moved by nobody, and explains no other change', () => {
  fc.assert(
    fc.property(
      fc.nat(3),
      fc.nat(3),
      fc.array(anyAct, { minLength: 4, maxLength: 6 }),
      (off, on, acts) => {
        const states = new OutletStates();
        const readAll = (own: OutletState, other: OutletState, now: number) =>
          states.read(
            new Map(Object.entries({ own: { state: own }, other: { state: other } })),
            now,
          );
        states.formerlyCommanded('own', 0, 1000);
        readAll('on', 'on', 0);
        for (const [at, { to }] of acts.entries()) {
          states.commanded('mine', [to], at * 500);
          const own = at < off || at >= off + on ? 'on' : 'off';
          readAll(own, at > 2 ? 'off' : 'on', at * 500 + 100);
        }

        expect([...states.takeMoved('mine').keys()]).not.toContain('own');
        expect([...states.takeMoved('own')]).toEqual([]);
      },
    ),
    runs(100),
  );
});

it('what somebody else turns off while another outlet is switched is found', () => {
  fc.assert(
    fc.property(anyAct, fc.integer({ min: 1300, max: 4500 }), (act, at) => {
      const outlet = names.find((name) => name !== act.outlet) ?? '';
      expect([...watch([act], { at, outlet })]).toEqual([outlet]);
    }),
    runs(100),
  );
});

it('an outlet whose state is unknown for a while has not moved', () => {
  const states = new OutletStates();
  const read = (state: OutletState | 'unknown', now: number) =>
    states.read(new Map([['2', { state }]]), now);
  read('on', 0);
  states.commanded('1', ['off'], 1000);

  read('unknown', 1500);
  read('on', 2000);

  expect([...states.takeMoved('1')]).toEqual([]);
});

it.each([
  [
    'the budget denies it power',
    { delivering: false, fault: 'power-deny' },
    'lost power (power-deny)',
  ],
  ['it was unplugged', { delivering: false }, undefined],
  ['its meter reads nothing', {}, undefined],
])('a port that stays enabled while another one is turned on: %s', (_why, more, what) => {
  const states = new OutletStates();
  states.read(new Map([['2', { state: 'on', delivering: true }]]), 0);
  states.commanded('1', ['on'], 100);

  states.read(new Map([['2', { state: 'on', ...more }]]), 200);

  expect(states.takeMoved('1').get('2')).toBe(what);
});

it('a stale reading before the command blames nobody', () => {
  const states = new OutletStates();
  states.read(new Map([['2', { state: 'on' }]]), 0);
  states.commanded('1', ['off'], 60_000);

  states.read(new Map([['2', { state: 'off' }]]), 71_000);

  expect([...states.takeMoved('1')]).toEqual([]);
});
