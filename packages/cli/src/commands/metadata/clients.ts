import type { MetadataClient } from '@skolo/api';
import type { SkoloCommand } from '../../command.ts';
import type { Io } from '../../io.ts';
import { printJson } from '../../output/json.ts';
import { type Column, printTable } from '../../output/table.ts';
import { relative } from '../../output/time.ts';
import { metadataServer } from './metadata-server.ts';

/** `skolo metadata clients`: who asked the metadata server, as whom, and when last. */
export function addMetadataClients(noun: SkoloCommand, io: Io): void {
  const command = noun
    .command('clients')
    .description(
      'Who asks the metadata server, as which identity, and when last; those who never did come last. Counted since the service started.',
    )
    .summary('who asks, as whom, and when last')
    .option('--json', 'print JSON')
    .uses('rack', 'url', 'tokenFile')
    .example('skolo metadata clients --rack racks/rack4/rack.yaml');

  command.action(async ({ json }: { json?: true }) => {
    const service = await metadataServer(command);
    const { clients } = await service.ask((client) => client.clients());
    const sorted = clients.toSorted(byLastAsked);
    if (json) printJson(io, { clients: sorted });
    else printTable(io, columns(io.now()), sorted);
  });
}

/** The silent ones end up above the prompt, where one looks first. */
function byLastAsked(a: MetadataClient, b: MetadataClient): number {
  return askedAt(b) - askedAt(a) || a.name.localeCompare(b.name, 'en', { numeric: true });
}

function askedAt({ lastAsked }: MetadataClient): number {
  return lastAsked === undefined ? 0 : Date.parse(lastAsked);
}

function columns(now: number): Column<MetadataClient>[] {
  const ago = (time: string | undefined) =>
    time === undefined ? 'never' : relative(Date.parse(time), now);
  return [
    { title: 'NAME', cell: ({ name }) => name, shrinkTo: 16 },
    {
      title: 'KIND',
      cell: ({ kind }) => kind,
      style: ({ kind }) => (kind === 'unknown' ? 'red' : undefined),
    },
    { title: 'ADDRESS', cell: ({ address }) => address },
    { title: 'IDENTITY', cell: ({ identity }) => identity, shrinkTo: 8 },
    {
      title: 'ASKED',
      cell: ({ lastAsked }) => ago(lastAsked),
      style: ({ lastAsked }) => (lastAsked === undefined ? 'yellow' : undefined),
    },
    { title: 'TOKEN', cell: ({ lastTokenAsked }) => ago(lastTokenAsked) },
    { title: 'REQUESTS', cell: ({ requests }) => String(requests), align: 'right' },
  ];
}
