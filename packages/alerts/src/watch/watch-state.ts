/** The file in which a watch over locations keeps its state between runs. */
import { NamedError } from '@skolo/base';
import { readFileIfExists, writeFileAtomic } from '@skolo/base/durable';
import { z } from 'zod';
import { Alert, AlertMessage } from '../message/message.ts';

const KeptLocation = z.object({
  /** When it was first expected. Milliseconds since 1970. */
  since: z.number(),
  lastHeard: z.number().optional(),
  silent: z.boolean(),
});
export type KeptLocation = z.output<typeof KeptLocation>;

export const WatchState = z.object({
  locations: z.record(z.string(), KeptLocation).default({}),
  /** Sent, or about to be sent, and not resolved. */
  firing: z.array(Alert).default([]),
  /** Not sent yet, in order. */
  waiting: z.array(AlertMessage).default([]),
});
export type WatchState = z.output<typeof WatchState>;

/** The file has other content. The message says what to do. */
class WatchStateError extends NamedError {
  readonly code = 'WATCH_STATE';

  constructor(file: string, options?: ErrorOptions) {
    super(`${file}: not a state file of skolo alerts watch; specify another file`, options);
  }
}

/** @throws WatchStateError */
export async function readWatchState(file: string): Promise<WatchState> {
  const text = await readFileIfExists(file);
  if (text === undefined) return WatchState.parse({});
  try {
    return WatchState.parse(JSON.parse(text));
  } catch (cause) {
    throw new WatchStateError(file, { cause });
  }
}

/** @throws FileNotWritten */
export async function writeWatchState(file: string, state: WatchState): Promise<void> {
  await writeFileAtomic(file, `${JSON.stringify(state)}\n`);
}
