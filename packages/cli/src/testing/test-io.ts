/** A command's environment for tests: no terminal, no answers, no environment variables. */
import { exitCodes } from '../errors.ts';
import type { Io } from '../io.ts';

export function testIo(given: Partial<Io>): Io {
  return {
    out: () => {},
    err: () => {},
    raw: async () => {},
    isTerminal: false,
    columns: undefined,
    rows: undefined,
    colour: false,
    now: Date.now,
    onStop: () => () => {},
    onSignal: () => () => {},
    env: {},
    folder: '/',
    canAsk: false,
    ask: async () => undefined,
    askSecret: async () => undefined,
    input: async () => new Uint8Array(),
    exitCode: exitCodes.done,
    ...given,
  };
}
