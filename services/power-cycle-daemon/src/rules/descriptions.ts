/**
 * Decides whether commands that rack.yaml or a table describes may be sent, and how far they are trusted. A wrong description can read back
 * what it sets, so that only a machine shows that it is wrong:
 *
 *     unproven ──(up, silent at off, back at on)──→ confirmed
 *         └──────(up at off, silent at on, back at off)──→ inverted: nothing is sent until the description has changed
 *
 * Pure.
 */
import { createHash } from 'node:crypto';
import { models } from '@skolo/equipment/models';
import type { Rack } from '@skolo/rack';
import type { CycleRecord, DescriptionRecord, Feed, Unproven } from '../state/records.ts';

type Known = ReadonlyMap<string, DescriptionRecord>;

/** The same for all equipment with the same description; undefined: its commands are code, or it has left rack.yaml. */
export function descriptionKey(rack: Rack, name: string): string | undefined {
  const equipment = rack.equipment.get(name);
  const model = equipment && models.get(equipment.model);
  const description = model?.power?.description?.(equipment?.options ?? {});
  if (model === undefined || description === undefined) return undefined;
  const text = JSON.stringify([model.base ?? model.name, description]);
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}

/** What a cycle of these outlets must still show; undefined: nothing. */
export function unprovenOf(rack: Rack, known: Known, feeds: readonly Feed[]): Unproven | undefined {
  if (!feeds.some(({ controller }) => openKey(rack, known, controller))) return undefined;
  const keys = new Set(feeds.map(({ controller }) => descriptionKey(rack, controller)));
  const [key] = keys;
  return keys.size === 1 && key !== undefined ? { key } : {};
}

function openKey(rack: Rack, known: Known, name: string): string | undefined {
  const key = descriptionKey(rack, name);
  return key !== undefined && known.get(key)?.state === 'confirmed' ? undefined : key;
}

/** Why no command may be sent to a piece of equipment; undefined: it may. */
export function whyInverted(rack: Rack, known: Known, name: string): string | undefined {
  const key = descriptionKey(rack, name);
  const verdict = key === undefined ? undefined : known.get(key);
  if (verdict?.state !== 'inverted') return undefined;
  const { target, at } = verdict;
  const { model, description = model } = rack.equipment.get(name) ?? {};
  return `on and off are inverted in the description of ${name} (${description}): at ${at}, ${target} became silent when its outlet was turned on, and returned when it was turned off; fix the description, or run skolo equipment forget ${name} to have it tried again`;
}

/** What a finished cycle has shown about the description of its outlets; undefined: nothing. */
export function shownBy(record: CycleRecord): DescriptionRecord | undefined {
  const { unproven, outcome, id: cycle, target, finishedAt: at } = record;
  if (unproven?.key === undefined || at === undefined) return undefined;
  const found = { key: unproven.key, cycle, target, at };
  if (outcome === 'inverted') return { ...found, state: 'inverted' };
  return outcome === 'back' ? { ...found, state: 'confirmed' } : undefined;
}

/**
 * Why a cycle that turned its outlets on again has not confirmed their description: the target must respond until off, be silent until on,
 * and return then. Undefined: it has, or they need no confirmation.
 */
export function whyUnproven({ unproven, feeds, ...record }: CycleRecord): string | undefined {
  if (unproven === undefined) return undefined;
  const names = [...new Set(feeds.map(({ controller }) => controller))].join(', ');
  const { key, fellSilent, upWhileOff, onAgain } = unproven;
  const reasons: [unknown, string][] = [
    [key === undefined, 'its outlets have different descriptions'],
    [record.unwatched, 'the daemon was restarted meanwhile'],
    [record.moved, 'something else changed, too'],
    [record.fault, 'its outlets report a fault'],
    [upWhileOff, `${record.target} responded while its outlets were off`],
    [onAgain, 'it returned only after a second on: it starts slowly, or on toggles'],
    [!fellSilent, `nothing showed that ${record.target} lost power`],
  ];
  const why = reasons.find(([isSo]) => isSo)?.[1];
  if (why === undefined) return undefined;
  return `the description of ${names} is still unproven, because ${why}; to confirm it, cycle a machine that responds`;
}

/** Without those that must wait: what can be seen tries each description that is unproven alone, so that a wrong one affects only it. */
export function oneEach(
  rack: Rack,
  known: Known,
  { ready, running, isSeen }: Turns,
): CycleRecord[] {
  // Called often while hundreds of cycles wait, and usually nothing is unproven.
  const open = new Map(
    [...rack.equipment.keys()].map((name) => [name, openKey(rack, known, name)]),
  );
  if (![...open.values()].some(Boolean)) return [...ready];
  const keysOf = (record: CycleRecord) => {
    const keys = record.feeds.flatMap(({ controller }) => open.get(controller) ?? []);
    return record.action === 'cycle' && keys.length > 0 && isSeen(record) ? keys : [];
  };
  const tries = ({ unproven, phase }: CycleRecord) => unproven !== undefined || phase === 'ready';
  const tried = new Set(running.filter(tries).flatMap(keysOf));
  return ready.filter((record) => {
    const keys = keysOf(record);
    if (keys.some((key) => tried.has(key))) return false;
    for (const key of keys) tried.add(key);
    return true;
  });
}

interface Turns {
  ready: readonly CycleRecord[];
  running: readonly CycleRecord[];
  /** Whether anything shows if its target has power. */
  isSeen: (record: CycleRecord) => boolean;
}
