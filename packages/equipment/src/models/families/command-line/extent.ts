/** How much of its configuration a device shows to the login: patterns of what it says about that, as data of a model. */
import type { DeviceConnection } from '@skolo/equipment/transports';
import type { Extent } from '../../contract/backup.ts';
import type { Optional } from '../optional.ts';
import { listed } from './text-reading.ts';

/** What a text says. Patterns are global. */
export interface Says {
  /** It shows everything, whatever `part` matches. */
  whole?: RegExp;
  /** It shows a part. */
  part: RegExp;
  /** The reason, in which `$1` stands for the groups of all matches of `part`. */
  why: string;
}

export interface ExtentQuestion extends Says {
  /** `{user}` stands for the name that the login signs in with. */
  command: string;
}

/** Names that have no meaning of their own in a command. */
const plainName = /^[\w.@+-]+$/;
const mostNamed = 5;
/** More than a device says about a login. */
const longest = 8192;

/** Undefined: the text says nothing about that. */
export function extentIn(text: string, { whole, part, why }: Says): Extent | undefined {
  if (whole !== undefined && text.search(whole) >= 0) return 'whole';
  const found = [...text.matchAll(part)].map(([, name = '']) => name.trim());
  const names = listed([...new Set(found)], mostNamed);
  return found.length === 0 ? undefined : { part: why.replace('$1', () => names) };
}

/**
 * Asks until an answer says it. A device that does not know a command, or does not answer it, has not said anything.
 *
 * @throws DeviceError as `Optional.ask`
 */
export async function askExtent(
  connection: DeviceConnection,
  questions: readonly ExtentQuestion[],
  ask: (command: string) => Promise<Buffer>,
  optional: Optional,
): Promise<Extent> {
  for (const { command, ...says } of questions) {
    const user = command.includes('{user}') ? ((await connection.username()) ?? '') : 'nobody';
    if (!plainName.test(user)) continue;
    const answer = await optional.ask(() => ask(command.replace('{user}', user)));
    const text = answer?.toString('latin1', 0, longest).replaceAll('\r', '') ?? '';
    const extent = extentIn(text, says);
    if (extent !== undefined) return extent;
  }
  return 'unknown';
}
