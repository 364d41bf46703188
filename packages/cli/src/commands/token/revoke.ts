import type { SkoloCommand } from '../../command.ts';
import type { Io } from '../../io.ts';
import { tokenPath } from '../../rack-file.ts';

/** `skolo token revoke`: from then on, services refuse it. */
export function define(command: SkoloCommand, io: Io): void {
  command
    .description(
      'Takes a token out of the file; services that read the file refuse it from then on.',
    )
    .summary('end a token')
    .argument('<name>', 'whose it is')
    .option('--file <file>', 'the file of tokens, instead of the one that rack.yaml names')
    .uses('rack')
    .example('skolo token revoke ann');

  command.action(async (name: string, { file }: { file?: string }) => {
    const path = await tokenPath(command, file);
    const { revokeToken } = await import('@skolo/common');
    await revokeToken(path, name);
    io.err(`token ${name} is revoked, in ${path}`);
  });
}
