/** The token file: from a rack's store, or on this computer. */
import { errorText } from '@skolo/base';
import { Secret } from '@skolo/secrets';
import type { SkoloCommand } from '../../command.ts';
import { CliError, exitCodes } from '../../errors.ts';
import { interruptible } from '../../reach/racks.ts';
import { tokenPath } from '../../workstation/rack-file.ts';
import { openSecrets } from '../secrets/open-secrets.ts';

/**
 * Calls `use` with the path of the file. With `--on RACK`, and without `--file`, that is the value from the store, in a file in memory.
 * Changes that `use` makes are stored.
 *
 * @returns where the file is kept, for people
 */
export async function withTokenFile(
  command: SkoloCommand,
  file: string | undefined,
  use: (path: string) => Promise<void>,
): Promise<string> {
  const { on } = command.globals();
  if (on === undefined || file !== undefined) {
    const path = await tokenPath(command, file);
    await use(path);
    return path;
  }
  const { secrets, store } = await openSecrets(command, on);
  const secret = secrets.find(({ kind }) => kind === 'token-file');
  if (secret === undefined) {
    throw new CliError(
      `${on}: rack.yaml has no token file; add \`access: { tokens: { file: secrets/tokens.yaml } }\``,
      exitCodes.badConfiguration,
    );
  }
  const { withPrivateFile } = await import('@skolo/fleet/secrets');
  return await interruptible(command, async (signal) => {
    const previous = (await store.read(secret.place, signal)) ?? new Secret('');
    const value = await withPrivateFile(command.io.env, secret.name, previous, (path) =>
      use(path).catch((cause: unknown) => {
        // The path in memory means nothing to people.
        const message = errorText(cause).replaceAll(path, secret.place);
        throw new CliError(message, exitCodes.failed, { cause });
      }),
    );
    signal.throwIfAborted();
    if (value.reveal() === previous.reveal()) return store.title;
    await store.write(secret.place, value);
    return `${store.title}; run skolo secrets apply ${on} to copy the token file to the rack`;
  });
}
