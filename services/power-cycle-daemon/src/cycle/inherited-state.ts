/**
 * A journal copied from another computer by `skolo jumphost replace`, which may be older than the rack's state. Outlets that should be on
 * are turned on. None of its cycles and offs are carried out, because the machine may be in use by now. An outlet that a person turned off
 * stays off if it reads off.
 */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { errorText, parseJson, pause } from '@skolo/base';
import { type Change, readFileIfExists, syncFolder } from '@skolo/base/durable';
import type { Clock } from '@skolo/common';
import { z } from 'zod';
import type { PartDeps } from '../part-deps.ts';
import { feedKey } from '../state/records.ts';
import { next } from './cycle.ts';

/** Beside the journal. Written by whoever brings the journal. */
export const inheritedMark = 'inherited.json';
const Mark = z.object({
  /** When the journal was copied. */
  time: z.iso.datetime().exactOptional(),
  /** Outlets that power the old jumphost and are off: `pdu-1/3`. */
  keepOff: z.array(z.string()).default([]),
});
type Mark = z.output<typeof Mark>;

interface InheritedDeps extends Pick<PartDeps, 'store' | 'log' | 'signal'> {
  stateDir: string;
  clock: Pick<Clock, 'now'>;
  /** Between two attempts to write the journal: nothing in it may run before that. */
  retryMs: number;
}

/** Converts an inherited journal, once. Call it before anything in the journal runs. @throws The signal's reason. */
export async function adoptJournal(deps: InheritedDeps): Promise<void> {
  const { stateDir, log, retryMs, signal } = deps;
  const file = join(stateDir, inheritedMark);
  for (;;) {
    try {
      const text = await readFileIfExists(file);
      if (text === undefined) return;
      await changeJournal(deps, Mark.safeParse(parseJson(text)).data ?? { keepOff: [] });
      await rm(file, { force: true });
      await syncFolder(stateDir);
      return;
    } catch (error) {
      signal.throwIfAborted();
      log.error({ why: errorText(error) }, 'inherited journal could not be adopted; retrying');
      await pause(retryMs, signal);
    }
  }
}

async function changeJournal(
  { store, clock, log }: InheritedDeps,
  { time: copied, keepOff }: Mark,
): Promise<void> {
  const text = `the jumphost was replaced; the journal is ${copied === undefined ? 'a copy' : `from ${copied}`}`;
  const facts = { now: clock.now(), canBeSeen: false, tries: 1 };
  const ended = store.active().flatMap((record) => {
    const after = next(record, { is: 'inherited', text }, facts);
    return after.phase === 'finished' ? [after] : [];
  });
  const offs = [...store.switchedOff.all.values()];
  const at = new Date(clock.now()).toISOString();
  const old = keepOff.map((key) => {
    const [controller = '', ...outlet] = key.split('/');
    const why = { by: 'skolo jumphost replace', reason: 'it powers the old jumphost', at };
    return { controller, outlet: outlet.join('/'), ...why };
  });
  const changes: Change[] = [
    ...ended.map((record) => store.cycles.put(record)),
    ...offs.map((off) => store.switchedOff.put({ ...off, inherited: true as const })),
    ...old.map((off) => store.switchedOff.put(off)),
    ...old.map((off) => store.pendingOns.remove(feedKey(off))),
  ];
  if (changes.length > 0) await store.write(changes);
  const counts = { ended: ended.length, offs: offs.length, ons: store.pendingOns.all.size };
  log.warn({ copied, ...counts }, 'journal inherited');
}
