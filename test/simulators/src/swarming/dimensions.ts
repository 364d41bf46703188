/** What the server makes of the dimensions and the state of a bot: may it have a task? */
import { isObject } from '@skolo/base';
import { z } from 'zod';

export type Dimensions = Readonly<Record<string, readonly string[]>>;

export const State = z.looseObject({
  quarantined: z.unknown().optional(),
  maintenance: z.unknown().optional(),
});
export type State = z.output<typeof State>;

/** Why it gets no tasks. Quarantine is looked at first. */
export interface BotHealth {
  quarantined?: string;
  maintenance?: string;
}

const generic = 'Bot self-quarantined';
const key = /^[a-zA-Z_.-][0-9a-zA-Z_.-]*$/;
const Values = z.array(z.string());

/** What is wrong with dimensions as a bot sent them. Empty: nothing is. */
export function malformed(given: unknown): string[] {
  const parsed = z.record(z.string(), z.unknown()).safeParse(given);
  if (!parsed.success) return ['dimensions are not a dict'];
  return Object.entries(parsed.data).flatMap(([name, values]) => problemsOf(name, values));
}

function problemsOf(name: string, given: unknown): string[] {
  const problems: string[] = [];
  if (!key.test(name) || name.length > 64)
    problems.push(`bad dimension key ${JSON.stringify(name)}`);
  const values = Values.safeParse(given);
  if (!values.success) return [...problems, `dimension ${name} is not a list of text`];
  if (values.data.length === 0) problems.push(`dimension ${name} has no values`);
  if (new Set(values.data).size !== values.data.length) {
    problems.push(`dimension ${name} has duplicates`);
  }
  for (const value of values.data) {
    if (value === '' || value.length > 256 || value.trim() !== value) {
      problems.push(`dimension ${name} has a bad value ${JSON.stringify(value)}`);
    }
  }
  return problems;
}

export function botHealthOf(state: State, dimensions: Dimensions): BotHealth {
  const quarantined = quarantineIn(state.quarantined) ?? quarantineOf(dimensions.quarantined);
  const { maintenance } = state;
  return {
    ...(quarantined !== undefined && { quarantined }),
    // Read as text: true or a number counts as not set.
    ...(typeof maintenance === 'string' && maintenance !== '' && { maintenance }),
  };
}

function quarantineIn(value: unknown): string | undefined {
  if (typeof value === 'string') return value === '' ? undefined : value;
  if (Array.isArray(value)) return value.length > 0 ? generic : undefined;
  return value === true || (typeof value === 'number' && value !== 0) || isObject(value)
    ? generic
    : undefined;
}

/** Any text but `true` and `1` is the message, also `false`. */
function quarantineOf(values: readonly string[] | undefined): string | undefined {
  const [first] = values ?? [];
  return first === 'true' || first === '1' ? generic : first;
}
