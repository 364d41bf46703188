/** Decides which machines a filter matches, in the console and in commands. */
import type { Machine } from './machine-state.ts';
import { conditionWord } from './silence.ts';

type Field = 'shelf' | 'condition' | 'code' | 'cause' | 'model' | 'pool' | 'text';
export type MachineFilter = { [Name in Field]?: string | undefined };

/**
 * Those that match all of the filter. A word of its text that is the whole name of something, such as a shelf, condition, model, version,
 * port or switch, only finds machines that have it: `switch-1` does not find `switch-10`. Any other word may be a part of any value.
 */
export function matching(machines: readonly Machine[], filter: MachineFilter): Machine[] {
  const words = [...new Set((filter.text ?? '').toLowerCase().split(/\s+/))].filter(Boolean);
  const found = machines.filter((machine) => matchesFields(machine, filter));
  if (words.length === 0) return found;
  const named = new Map(machines.map((machine) => [machine, namesOf(machine)]));
  const names = new Set([...named.values()].flatMap((each) => [...each]));
  const whole = words.filter((word) => names.has(word));
  const parts = words.filter((word) => !names.has(word));
  return found.filter((machine) => {
    if (!whole.every((word) => named.get(machine)?.has(word))) return false;
    const text = parts.length > 0 ? textOf(machine) : '';
    return parts.every((word) => text.includes(word));
  });
}

function matchesFields(machine: Machine, filter: MachineFilter): boolean {
  const { shelf, condition, code, cause, model, pool } = filter;
  return (
    (shelf === undefined || machine.shelf === shelf) &&
    (condition === undefined || conditionsOf(machine).includes(condition)) &&
    (code === undefined || codesOf(machine).includes(code)) &&
    (cause === undefined || machine.cause?.code === cause) &&
    (model === undefined || modelsOf(machine).has(model.toLowerCase())) &&
    (pool === undefined || machine.pools.includes(pool))
  );
}

/** In lower case: the machine's kind, and Swarming's names for its devices. */
export function modelsOf({ kind, devices }: Pick<Machine, 'kind' | 'devices'>): Set<string> {
  const seen = devices.flatMap(
    ({ kind, dimensions: { device_type = [], device_model = [] } = {} }) => [
      ...(kind === undefined ? [] : [kind]),
      ...device_type,
      ...device_model,
    ],
  );
  return new Set([kind, ...seen].map((each) => each.toLowerCase()));
}

/** As programs and as people call it. */
export function conditionsOf({ condition }: Pick<Machine, 'condition'>): string[] {
  return [condition, conditionWord(condition)];
}

function codesOf({ health }: Machine): string[] {
  return (health?.reasons ?? []).map(({ code }) => code);
}

/** In lower case: the names by which people look for machines, and the words of names with spaces. */
function namesOf(machine: Machine): Set<string> {
  const { name, label, shelf, cause, wiring, versions = {}, pools } = machine;
  const ports = [wiring.uplink, ...wiring.power].flatMap((port) => port ?? []);
  const names = [
    ...[name, label, shelf, ...conditionsOf(machine)].flatMap((each) => each ?? []),
    ...(cause ? [`${cause.text}`, ...cause.equipment] : []),
    ...[...ports, ...ports.map((port) => port.replace(/\/.*/, ''))],
    ...[...Object.values(versions), ...pools, ...codesOf(machine), ...modelsOf(machine)],
  ].map((each) => each.toLowerCase());
  return new Set(names.flatMap((each) => [each, ...each.split(/\s+/)]));
}

/** All values, without the names of fields and without times, which people see as ages, in lower case. */
function textOf(machine: Machine): string {
  const values: unknown[] = [];
  JSON.stringify(machine, (_, value) => {
    if (typeof value !== 'object' && !/^\d{4}-\d\d-\d\dT/.test(`${value}`)) values.push(value);
    return value;
  });
  return values.join('\n').toLowerCase();
}
