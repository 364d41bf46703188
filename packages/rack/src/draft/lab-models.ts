/**
 * A lab's own models: descriptions in `models` that equipment uses as `model: lab/NAME`. Before entries are checked, each gets
 * the base model and the keys of its description. Only messages distinguish it from one that has these keys itself.
 */
import { isObject } from '@skolo/base';
import type { Model } from '@skolo/equipment/models';
import { check } from '../issues/describe.ts';
import { type Path, type Problem, shown } from '../issues/issues.ts';
import { didYouMean } from '../issues/suggest.ts';
import { bases, labModelSchema, namePattern } from '../schema/lab-model-schema.ts';
import type { LabModel, Report } from './draft.ts';
import { mapOf } from './sections.ts';

/** Those of `models`, by name; undefined: one with errors. */
export function readLabModels(
  top: Record<string, unknown>,
  problems: Problem[],
  report: Report,
): Map<string, LabModel | undefined> {
  const read = new Map<string, LabModel | undefined>();
  for (const [name, raw] of mapOf('models', top, report)) {
    const path = ['models', name];
    read.set(name, undefined);
    if (!namePattern.test(name)) {
      const what = 'lab/ and lower-case letters, digits and hyphens, such as lab/epdu';
      report(path, 'name', `"${name}" is not the name of a description: ${what}`, 'key');
    }
    const base = baseOf(raw, path, report);
    if (base === undefined || !isObject(raw)) continue;
    const checked = check(labModelSchema(base), raw, path);
    problems.push(...(checked.problems ?? []));
    const { base: _, label: __, ...values } = raw;
    if (checked.problems === undefined) read.set(name, { base, values, path });
  }
  return read;
}

function baseOf(raw: unknown, path: Path, report: Report): Model | undefined {
  if (!isObject(raw)) {
    report(path, 'type', `expected a map, found ${shown(raw)}`);
    return undefined;
  }
  const base = bases.find(({ name }) => name === raw.base);
  if (base !== undefined) return base;
  const known = bases.map(({ name }) => name);
  const spot = [...path, 'base'];
  if (raw.base === undefined) report(spot, 'missing', `is missing; write ${known.join(', ')}`);
  else {
    const hint = didYouMean(String(raw.base), known, `known: ${known.join(', ')}`);
    report(spot, 'model', `${shown(raw.base)} cannot describe equipment${hint}`);
  }
  return undefined;
}

/** Fills in what entries of `equipment` get from their descriptions. `used` has the name of each such entry's description. */
export function withLabModels(
  top: Record<string, unknown>,
  known: ReadonlyMap<string, LabModel | undefined>,
  report: Report,
): { top: Record<string, unknown>; used: ReadonlyMap<string, string> } {
  const used = new Map<string, string>();
  const { equipment } = top;
  if (known.size === 0 || !isObject(equipment)) return { top, used };
  const entries = Object.entries(equipment).map(([key, raw]): [string, unknown] => {
    const name = isObject(raw) ? String(raw.model) : '';
    const lab = known.get(name);
    if (lab === undefined || !isObject(raw)) return [key, raw];
    used.set(key, name);
    for (const twice of Object.keys(lab.values).filter((each) => Object.hasOwn(raw, each))) {
      const message = `is also a key of ${name}; remove one of them`;
      report(['equipment', key, twice], 'description', message, 'key');
    }
    return [key, { ...raw, ...lab.values, model: lab.base.name }];
  });
  return { top: { ...top, equipment: Object.fromEntries(entries) }, used };
}
