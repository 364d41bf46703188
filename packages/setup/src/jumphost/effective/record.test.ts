/** Whose a change is, by what was found before and after. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Entry, Found } from './files.ts';
import { afterInterruption, changesSince, type Recorded, withThose } from './record.ts';

function entry(content: string, more: Partial<Entry> = {}): Entry {
  return { type: 'f', mode: '644', owner: '0:0', content, stamp: content, ...more };
}

function found(entries: Record<string, Entry>, facts: string[] = [], seconds = 0): Found {
  const changed = new Map(Object.keys(entries).map((path) => [path, { seconds, user: 'root' }]));
  return { entries, facts, changed, missing: new Set(), deciding: new Set(), now: 0 };
}

function record(entries: Record<string, Entry>, facts: string[] = []): Recorded {
  return { version: 3, at: '2026-11-01T00:00:00.000Z', entries, facts };
}

const names = (changes: ReturnType<typeof changesSince>) => changes.map(({ name }) => name);

describe('changes', () => {
  it('of an interrupted step are its own: files that are newer, and facts that were not there when it began', () => {
    const before = ['bob is a member of sudo'];
    const changing = { since: 100, facts: before };
    const now = found({ '/etc/a': entry('2') }, [...before, 'ip route default via 192.0.2.1'], 100);

    const known = afterInterruption({ ...record({ '/etc/a': entry('1') }), changing }, now);

    expect(names(changesSince(known, now))).toEqual(before);
  });

  it.each([
    ['was not recorded', [], ['cluster', 'object Role a, by b at c']],
    ['does not respond', ['cluster', 'object Role a, by b at c'], []],
  ])('in a cluster that %s are not counted', (_, was, is) => {
    expect(changesSince(record({}, was), found({}, is))).toEqual([]);
  });

  it('in a cluster that did not respond before a step are not those of the step', () => {
    const now = found({}, ['cluster', 'ip rule 1: all', 'object Role a, by b at c']);
    const changing = { since: 100, facts: [] };

    const known = afterInterruption({ ...record({}, ['cluster']), changing }, now);

    expect(names(changesSince(known, now))).toEqual(['object Role a, by b at c']);
  });

  it('are all gone when each is confirmed by its name', () => {
    const path = fc.constantFrom('/etc/a', '/etc/sudoers.d/b', '/usr/bin/c', '/opt/d');
    const one = fc.record({
      content: fc.constantFrom('1', '2'),
      mode: fc.constantFrom('644', '600'),
    });
    const entries = fc
      .dictionary(path, one)
      .map((all) =>
        Object.fromEntries(
          Object.entries(all).map(([at, { content, mode }]) => [at, entry(content, { mode })]),
        ),
      );
    const facts = fc.uniqueArray(fc.constantFrom('cluster', 'a is b', 'package x', 'object y'));
    const sides = fc.tuple(entries, facts);
    fc.assert(
      fc.property(sides, sides, ([was, known], [is, facts]) => {
        const before = record(was, [...known]);
        const now = found(is, [...facts]);

        const after = withThose(before, names(changesSince(before, now)), now);

        expect(changesSince(after, now)).toEqual([]);
      }),
    );
  });
});
