import type { SkoloCommand } from '../../command.ts';
import type { Io } from '../../io.ts';
import { namesOf } from '../../names.ts';
import type { SubmitOptions } from './submit.ts';

export interface SwitchOptions extends SubmitOptions {
  reason: string;
  force?: true;
  ignoreLimits?: true;
}

/** What `skolo power on` and `skolo power off` do. */
export async function switchOutlets(
  { io, command, state }: { io: Io; command: SkoloCommand; state: 'on' | 'off' },
  words: readonly string[],
  options: SwitchOptions,
): Promise<void> {
  const { reason, force = false, ignoreLimits = false, skipRefused = false } = options;
  const names = await namesOf(words);
  const body = { targets: names.names, state, reason, force, ignoreLimits, skipRefused };
  const { submit } = await import('./submit.ts');
  await submit({
    io,
    command,
    names,
    options,
    doing: `turning ${state}`,
    send: (client, headers) => client.switchOutlets({ headers, body }),
  });
}
