import type { MetadataIdentity } from '@skolo/api';
import type { SkoloCommand } from '../../command.ts';
import type { Io } from '../../io.ts';
import { printJson } from '../../output/json.ts';
import type { Style } from '../../output/style.ts';
import { type Column, printTable } from '../../output/table.ts';
import { plain } from '../../output/text.ts';
import { duration, relative } from '../../output/time.ts';
import { metadataServer } from './metadata-server.ts';

/** `skolo metadata identities`: how fresh the token of each identity is, and why it is not. */
export function addMetadataIdentities(noun: SkoloCommand, io: Io): void {
  const command = noun
    .command('identities')
    .description('The identities of the rack, how long their tokens last, and what failed last.')
    .summary('how fresh the tokens are')
    .option('--json', 'print JSON, scopes included')
    .uses('rack', 'url', 'tokenFile')
    .example('skolo metadata identities --url http://192.168.1.8:20010');

  command.action(async ({ json }: { json?: true }) => {
    const service = await metadataServer(command);
    const { identities } = await service.ask((client) => client.identities());
    if (json) printJson(io, { identities });
    else print(io, identities);
  });
}

/** The reasons of failures are below the table, in full: they are what one came for. */
function print(io: Io, identities: MetadataIdentity[]) {
  printTable(io, columns(io.now()), identities);
  const reasons = identities.flatMap(({ name, lastFailureReason: reason }) =>
    reason === undefined ? [] : [`${name}: ${plain(reason)}`],
  );
  if (reasons.length > 0) io.out(['', 'Last failures:', ...reasons].join('\n'));
}

function columns(now: number): Column<MetadataIdentity>[] {
  const ago = (time: string | undefined) =>
    time === undefined ? 'never' : relative(Date.parse(time), now);
  return [
    { title: 'NAME', cell: ({ name }) => name },
    { title: 'TOKEN', cell: tokenLeft, style: tokenStyle },
    { title: 'RENEWED', cell: ({ lastSuccess }) => ago(lastSuccess) },
    { title: 'FAILED', cell: ({ lastFailure }) => ago(lastFailure) },
    { title: 'EMAIL', cell: ({ email }) => email ?? 'not known yet', shrinkTo: 16 },
    { title: 'PROJECT', cell: ({ project }) => project, shrinkTo: 8 },
  ];
}

function tokenLeft({ tokenRemainingSeconds }: MetadataIdentity): string {
  if (tokenRemainingSeconds === undefined || tokenRemainingSeconds <= 0) return 'none';
  return `${duration(tokenRemainingSeconds)} left`;
}

/** Tokens are renewed long before their last five minutes: one that gets there is not being renewed. */
function tokenStyle({ tokenRemainingSeconds = 0 }: MetadataIdentity): Style | undefined {
  if (tokenRemainingSeconds <= 0) return 'red';
  return tokenRemainingSeconds < 300 ? 'yellow' : undefined;
}
