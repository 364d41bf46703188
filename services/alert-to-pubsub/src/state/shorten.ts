/** Cuts what is large inside an alert, so that it fits into memory, and is sent with everything that is short. */

import type { Group } from '@skolo/alerts';
import { measureJson } from '@skolo/base';
import { mostAlertMemory } from '../receive/alert.ts';
import { type Chosen, memoryOf } from './known-alerts.ts';

interface Part {
  holder: Record<string, unknown>;
  key: string;
  /** For people. */
  name: string;
  /** What it takes in memory. */
  bytes: number;
}

/** A text that is cut keeps so many characters: more than a receiver shows. */
const keptLength = 4096;
/** Memory of a part that is left out only if thousands of them are too large together, in bytes. */
const mostShort = 2 * keptLength;
/** Annotations that templates show. */
const shownFirst = ['summary', 'description', 'message', 'console', 'first_command', 'runbook_url'];
/** What identifies an Alertmanager and its receiver. */
const identity = ['externalURL', 'receiver', 'key'];
const mostNamed = 5;

/** Shortens an alert and its group if they are too large. Returns whether they were. */
export function fit({ alert, group }: { alert: Chosen; group?: Group | undefined }): boolean {
  return shorten(alert, group) !== '';
}

/**
 * Cuts the longest texts of an alert and its group, until both take at most `most` bytes of memory. A link or an unknown field is left out
 * instead. Labels and short fields of the group stay. Changes the two objects, but not the objects in them.
 *
 * @returns the names of what was cut, for people
 */
export function shorten(alert: Chosen, group: Group = {}, most = mostAlertMemory): string {
  let excess = memoryOf(alert, group) - most;
  if (excess <= 0) return '';
  const parts: Part[] = [];
  function add(prefix: string, holder: Record<string, unknown>, keys = Object.keys(holder)): void {
    for (const key of new Set(keys)) {
      const bytes = Object.hasOwn(holder, key) ? bytesOf(key, holder[key]) : 0;
      const isKept = bytes <= mostShort && holder === group && identity.includes(key);
      if (!isKept) parts.push({ holder, key, name: prefix + key, bytes });
    }
  }
  add('', alert, ['generatorURL', 'more']);
  add('group.', group, [...identity, 'more']);
  const annotations = { ...alert.annotations };
  alert.annotations = annotations;
  add('annotations.', annotations, [...shownFirst, ...Object.keys(annotations)]);
  for (const name of ['labels', 'commonLabels', 'commonAnnotations'] as const) {
    const texts = { ...group[name] };
    if (group[name] !== undefined) group[name] = texts;
    add(`group.${name}.`, texts);
  }

  const long = parts.filter(({ bytes }) => bytes > mostShort).sort((a, b) => b.bytes - a.bytes);
  const short = parts.filter(({ bytes }) => bytes <= mostShort).reverse();
  const cut = new Set<string>();
  for (const [index, part] of [...long, ...long, ...short].entries()) {
    if (excess <= 0) break;
    const { holder, key, name, bytes } = part;
    const isCut = index < long.length && holder !== alert;
    const text = isCut ? beginningOf(holder[key]) : undefined;
    if (text === undefined) delete holder[key];
    else holder[key] = text;
    part.bytes = text === undefined ? 0 : bytesOf(key, text);
    excess -= bytes - part.bytes;
    if (bytes > 0) cut.add(name);
  }
  return [...cut].slice(0, mostNamed).join(', ') + (cut.size > mostNamed ? ' and others' : '');
}

function beginningOf(value: unknown): string | undefined {
  if (typeof value !== 'string' || value.length <= keptLength) return undefined;
  const beginning = value.slice(0, keptLength).toWellFormed();
  return `${beginning}… (${value.length - keptLength} more characters left out)`;
}

/** Returns what an object takes less in memory without this field. */
function bytesOf(key: string, value: unknown): number {
  return measureJson(Buffer.from(`${JSON.stringify(key)}:${JSON.stringify(value)},`)).value;
}
