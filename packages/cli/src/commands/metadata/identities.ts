import type { MetadataIdentity } from '@skolo/api';
import type { SkoloCommand } from '../../command.ts';
import { type Io, printJson } from '../../io.ts';
import { type Column, printTable } from '../../output/table.ts';
import { plain, type Style } from '../../output/text.ts';
import { duration, lastSeen } from '../../output/time.ts';
import { metadataServer } from '../../reach/service-client.ts';

/** `skolo metadata identities`: lists identities and their tokens. */
export function define(command: SkoloCommand): void {
  command
    .description(
      "Lists the rack's identities with the remaining lifetime of each token and the last failure.",
    )
    .summary('list identities and their tokens')
    .option('--json', 'print JSON, including scopes')
    .example('skolo metadata identities --url http://192.168.1.8:20010');

  command.action(async ({ json }: { json?: true }) => {
    const { identities } = await metadataServer(command).ask((client) => client.identities());
    if (json) printJson(command.io, { identities });
    else print(command.io, identities);
  });
}

/** Prints complete failures below the table. */
function print(io: Io, identities: MetadataIdentity[]) {
  printTable(io, columns, identities);
  const reasons = identities.flatMap(({ name, lastFailureReason: reason }) =>
    reason === undefined ? [] : [`${name}: ${plain(reason)}`],
  );
  if (reasons.length > 0) io.out(['', 'Last failures:', ...reasons].join('\n'));
}

const columns: Column<MetadataIdentity>[] = [
  { title: 'NAME', cell: ({ name }) => name },
  { title: 'TOKEN', cell: tokenLeft, style: tokenStyle },
  { title: 'RENEWED', cell: ({ lastSuccess }, now) => lastSeen(lastSuccess, now) },
  { title: 'FAILED', cell: ({ lastFailure }, now) => lastSeen(lastFailure, now) },
  { title: 'EMAIL', cell: ({ email }) => email ?? 'not known yet', shrinkTo: 16 },
  { title: 'PROJECT', cell: ({ project }) => project, shrinkTo: 8 },
];

function tokenLeft({ tokenRemainingSeconds }: MetadataIdentity): string {
  if (tokenRemainingSeconds === undefined || tokenRemainingSeconds <= 0) return 'none';
  return `${duration(tokenRemainingSeconds)} left`;
}

/** Tokens are renewed long before their last five minutes. A token this old is not being renewed. */
function tokenStyle({ tokenRemainingSeconds = 0 }: MetadataIdentity): Style | undefined {
  if (tokenRemainingSeconds <= 0) return 'red';
  return tokenRemainingSeconds < 300 ? 'yellow' : undefined;
}
