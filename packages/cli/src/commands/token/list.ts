import type { TokenInfo } from '@skolo/common';
import type { SkoloCommand } from '../../command.ts';
import { printJson } from '../../io.ts';
import { type Column, printTable } from '../../output/table.ts';
import { duration, timestamp } from '../../output/time.ts';
import { tokenPath } from '../../rack-file.ts';

/** `skolo token list`: lists names, roles and expiry of tokens. */
export function define(command: SkoloCommand): void {
  command
    .description('Lists the tokens of the rack: name, role and expiry. It never prints a token.')
    .summary('list tokens')
    .option('--file <file>', 'file of tokens, instead of the one in rack.yaml')
    .option('--json', 'print JSON')
    .uses('rack')
    .example('skolo token list --rack racks/rack4/rack.yaml');

  command.action(async ({ file, json }: { file?: string; json?: true }) => {
    const path = await tokenPath(command, file);
    const { listTokens } = await import('@skolo/common');
    const tokens = await listTokens(path);
    const now = command.io.now();
    if (json) printJson(command.io, { tokens: tokens.map((token) => asJson(token, now)) });
    else printTable(command.io, columns(now), tokens);
  });
}

function columns(now: number): Column<TokenInfo>[] {
  return [
    { title: 'NAME', cell: ({ name }) => name },
    { title: 'ROLE', cell: ({ role }) => role },
    { title: 'CREATED', cell: ({ created }) => timestamp(created) },
    { title: 'EXPIRES', cell: ({ expires }) => timestamp(expires) },
    {
      title: 'LEFT',
      cell: (token) =>
        isExpired(token, now) ? 'expired' : duration((token.expires.getTime() - now) / 1000),
      style: (token) => (isExpired(token, now) ? 'red' : undefined),
    },
  ];
}

function isExpired({ expires }: TokenInfo, now: number): boolean {
  return expires.getTime() <= now;
}

function asJson(token: TokenInfo, now: number) {
  const { name, role, created, expires } = token;
  return {
    name,
    role,
    created: timestamp(created),
    expires: timestamp(expires),
    expired: isExpired(token, now),
  };
}
