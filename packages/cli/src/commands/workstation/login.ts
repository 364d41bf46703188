import { ApiError, ApiUnreachable } from '@skolo/api';
import type { SkoloCommand } from '../../command.ts';
import { CliError, exitCodes, usageError } from '../../errors.ts';
import { powerCycleDaemon, unexplained } from '../../reach/service-client.ts';
import { rackToReach } from '../../workstation/rack-file.ts';
import { removeToken, saveToken } from '../../workstation/workstation-files.ts';

/** `skolo login`: saves a token for a rack's services on this workstation. */
export function define(command: SkoloCommand): void {
  command
    .description(
      "Saves your token for a rack's services in a file that only you can read. The command reads the token from standard input, or prompts for it without echo, and tests it before saving it. Commands for this rack use the saved token unless you set --token-file or SKOLO_TOKEN_FILE.",
    )
    .argument('<rack>', 'name of the rack')
    .option('--remove', 'remove the saved token')
    .uses('rack')
    .example('skolo login rack4 --on rack4 < token-of-ann');

  command.action(async (name: string, { remove }: { remove?: true }) => {
    const { io } = command;
    if (remove) {
      const isRemoved = await removeToken(io.env, name);
      io.err(isRemoved ? `the token for ${name} was removed` : `no token is saved for ${name}`);
      return;
    }
    const { rack: file } = command.globals();
    const rack = await rackToReach(command);
    if (rack.name !== name) {
      const message = `${file} is the rack.yaml of ${rack.name}; specify the rack.yaml of ${name} with --rack or --on`;
      throw new CliError(message, exitCodes.wrongCommandLine);
    }
    const token = (await io.askSecret(`token for ${name}: `))?.trim() ?? '';
    if (!/^[\x21-\x7e]+$/.test(token)) throw usageError('expected a token on a single line');
    const problem = await whyNotTried(command, token);
    const saved = await saveToken(io.env, name, token);
    const how = problem === undefined ? 'accepted and saved' : 'saved';
    io.err(`the token for ${name} was ${how} in ${saved}`);
    if (problem !== undefined) io.err(`skolo: the token was not tested: ${problem}`);
  });
}

/** @throws CliError The token is rejected. */
async function whyNotTried(command: SkoloCommand, token: string): Promise<string | undefined> {
  try {
    await powerCycleDaemon(command, token).ask((client) => client.controllers({}));
    return undefined;
  } catch (error) {
    const cause = unexplained(error);
    if (cause instanceof ApiUnreachable) return cause.message;
    if (!(cause instanceof ApiError)) throw error;
    if (cause.status !== 401) return cause.message;
    throw new CliError(
      `${cause.message}; nothing was saved; create another token with skolo token new`,
    );
  }
}
