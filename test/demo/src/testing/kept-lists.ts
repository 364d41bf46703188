/** Answers of an earlier version, as `testdata/state-VERSION.tar.gz` contains them in kept.json. */
import { expect } from 'vitest';
import { z } from 'zod';

export const Entries = z.array(z.looseObject({}));
export const Kept = z.object({
  at: z.iso.datetime(),
  /** By the name of a list. */
  lists: z.record(z.string(), Entries),
  formats: z.object({ history: z.int() }),
});
export type Lists = z.infer<typeof Kept>['lists'];

/** What these commands print contains all that it contained before. */
export function expectKept(found: Lists, kept: Lists): void {
  for (const [name, entries] of Object.entries(kept)) {
    // The history does not store these of a backup: since 0.2.0, they depend on masks. `equipment` was `device` then.
    const computed = new Set(
      name === 'backups' ? ['id', 'sha1', 'size', 'device', 'equipment'] : [],
    );
    const expected = entries.map((entry) =>
      expect.objectContaining(
        Object.fromEntries(Object.entries(entry).filter(([key]) => !computed.has(key))),
      ),
    );
    expect(entries.length, name).toBeGreaterThan(0);
    expect(found[name], name).toEqual(expect.arrayContaining(expected));
  }
}
