import { equipmentCause, sharedCause } from '@skolo/api/cause';
import { words } from '@skolo/api/words';
import { runs } from '@skolo/base/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Reported, sharedSilence } from './shared-silence.ts';

const at = (time: string) => Date.parse(`2026-11-20T${time}Z`);
const equipment = (what: string) => ({ kind: 'equipment' as const, what });

/** `count` machines, the first `silent` of which fell silent at 03:09:55. */
function group(prefix: string, count: number, silent: number, traits: Reported['traits']) {
  return Array.from({ length: count }, (_, i): Reported => {
    const name = `${prefix}-${i}`;
    return { name, traits, ...(i < silent && { silentSince: at('03:09:55') }) };
  });
}

function textsOf(machines: readonly Reported[]): string[] {
  return sharedSilence(machines).map(({ why }) => `${why}`);
}

describe('sharedSilence', () => {
  it('names a switch of which only some machines are silent, since their last answers', () => {
    const machines = [
      ...group('a', 16, 12, [equipment('switch-2')]),
      ...group('b', 25, 0, [equipment('switch-1')]),
    ];
    // One has been dead for weeks.
    machines[0] = { ...machines[0], name: 'a-0', traits: [equipment('switch-2')], silentSince: 0 };

    expect(sharedSilence(machines)).toEqual([
      {
        ...equipmentCause(['switch-2']),
        isPartial: true,
        why: words('12 of 16 machines on switch-2 are silent, 0 of 25 others'),
        since: '2026-11-20T03:09:55.000Z',
        machines: machines.slice(0, 12).map(({ name }) => name),
      },
    ]);
  });

  it.each([
    ['two of two', [group('a', 2, 2, [equipment('s')]), group('b', 9, 0, [])]],
    ['less than half', [group('a', 16, 7, [equipment('s')]), group('b', 20, 0, [])]],
    ['nearly as many others', [group('a', 16, 12, [equipment('s')]), group('b', 16, 5, [])]],
    ['what all machines have', [group('a', 16, 12, [equipment('s')])]],
  ])('does not name %s', (_, groups) => {
    expect(textsOf(groups.flat())).toEqual([]);
  });

  it('names the smallest thing that all silent machines share', () => {
    const pixel = { kind: 'model', what: 'oriole' } as const;
    const shelf = { kind: 'shelf', what: 'shelf3' } as const;
    const machines = [
      ...group('a', 4, 4, [equipment('pdu-1'), shelf, pixel]),
      ...group('b', 4, 0, [equipment('pdu-1'), equipment('switch-1')]),
      ...group('c', 1, 0, [shelf]),
      ...group('d', 20, 0, [equipment('switch-1')]),
    ];

    expect(textsOf(machines)).toEqual([
      '4 of 4 machines of model oriole are silent, 0 of 25 others',
    ]);
  });

  it('names two things that failed on the same day', () => {
    const machines = [
      ...group('a', 16, 12, [equipment('switch-2')]),
      ...group('b', 5, 4, [{ kind: 'version', what: '0.4.0' }]),
      ...group('c', 60, 1, [equipment('switch-1')]),
    ];

    expect(textsOf(machines)).toEqual([
      '12 of 16 machines on switch-2 are silent, 5 of 65 others',
      '4 of 5 machines with agent 0.4.0 are silent, 1 of 64 others',
    ]);
  });

  it('explains silent machines only, each once, with what they have', () => {
    const trait = fc.constantFrom(equipment('s1'), equipment('s2'), {
      kind: 'model' as const,
      what: 'm',
    });
    const machine = fc.record({
      traits: fc.uniqueArray(trait, { selector: ({ what }) => what }),
      isSilent: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(machine, { maxLength: 40 }), (drawn) => {
        const machines = drawn.map(({ traits, isSilent }, i) => {
          return { name: `${i}`, traits, ...(isSilent && { silentSince: i }) };
        });

        const causes = sharedSilence(machines);

        const explained = causes.flatMap((cause) => cause.machines);
        expect(new Set(explained).size).toBe(explained.length);
        for (const { code, machines: names } of causes) {
          for (const name of names) {
            const found = machines[Number(name)];
            expect(found?.silentSince).toBeDefined();
            const codes = found?.traits.map(({ kind, what }) => sharedCause(kind, what).code);
            expect(codes).toContain(code);
          }
        }
      }),
      runs(500),
    );
  });
});
