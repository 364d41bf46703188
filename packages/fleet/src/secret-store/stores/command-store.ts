/** A secret store that is a program which prints a value, such as berglas, gcloud or pass. It only reads. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { buffer } from 'node:stream/consumers';
import { errorText, withDeadline } from '@skolo/base';
import { StoreError } from '../errors.ts';
import { secretFrom } from '../values/value.ts';
import type { SecretStore } from './store.ts';

const deadlineMs = 60_000;

/**
 * @param command program and arguments; `{rack}` and `{name}` are replaced by the two parts of a place
 * @param env of the program
 */
export function commandStore(command: readonly string[], env: NodeJS.ProcessEnv): SecretStore {
  const [program = ''] = command;
  return {
    title: program,
    // It provides no information about a value except the value.
    find: async () => ({}),
    async read(place, signal) {
      const [rack = '', ...rest] = place.split('/');
      const filled = command.map((word) =>
        word.replaceAll('{rack}', rack).replaceAll('{name}', rest.join('/')),
      );
      const what = `${program} (${place})`;
      const late = () =>
        new StoreError(`${what}: no response within 60 s; sign in to it and try again`);
      return secretFrom(
        await withDeadline({ ms: deadlineMs, late, signal }, (stop) =>
          run(filled, what, env, stop),
        ),
        what,
      );
    },
    async write() {
      throw new StoreError(
        `${program}: skolo can only read this store; change values in it directly`,
      );
    },
  };
}

async function run(
  [program = '', ...args]: readonly string[],
  what: string,
  env: NodeJS.ProcessEnv,
  signal: AbortSignal,
): Promise<Buffer> {
  // Its standard error goes to the terminal, not into an error, because it may contain anything.
  const child = spawn(program, args, { env, signal, stdio: ['ignore', 'pipe', 'inherit'] });
  try {
    const [value, [code]] = await Promise.all([buffer(child.stdout), once(child, 'close')]);
    if (code === 0) return value;
    throw new StoreError(`${what}: exited with code ${code}; run it manually to see why`);
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof StoreError) throw error;
    throw new StoreError(`${what}: ${errorText(error)}; check that it is installed`, {
      cause: error,
    });
  }
}
