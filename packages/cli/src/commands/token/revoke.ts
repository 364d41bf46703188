import type { SkoloCommand } from '../../command.ts';
import { tokenPath } from '../../rack-file.ts';

/** `skolo token revoke`: removes a token. */
export function define(command: SkoloCommand): void {
  command
    .description('Removes a token from the file. Services then reject it.')
    .summary('remove a token')
    .argument('<name>', 'name of the person or program')
    .option('--file <file>', 'file of tokens, instead of the one in rack.yaml')
    .uses('rack')
    .example('skolo token revoke ann');

  command.action(async (name: string, { file }: { file?: string }) => {
    const path = await tokenPath(command, file);
    const { revokeToken } = await import('@skolo/common');
    await revokeToken(path, name);
    command.io.err(`token ${name}: revoked in ${path}`);
  });
}
