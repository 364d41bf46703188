import type { MetadataClient } from '@skolo/api';
import type { SkoloCommand } from '../../command.ts';
import {
  addFilters,
  type Filter,
  type FilterOptions,
  isFiltered,
  selected,
} from '../../filters.ts';
import { printJson } from '../../io.ts';
import { byNumber } from '../../names.ts';
import { headline, printOverview } from '../../output/overview.ts';
import type { Column } from '../../output/table.ts';
import { lastSeen } from '../../output/time.ts';
import { metadataServer } from '../../reach/service-client.ts';

interface Options extends FilterOptions {
  json?: true;
}

/** Most urgent first. `unknown`: rack.yaml has no identity for the address. */
const states = ['unknown', 'never-asked', 'no-token', 'asked'];

const filters: Filter<MetadataClient>[] = [
  { name: 'state', description: 'show only clients in these states', values: states, of: stateOf },
  {
    name: 'kind',
    description: 'show only clients of these kinds',
    values: ['machine', 'cidr', 'jumphost', 'default', 'unknown'],
    of: ({ kind }) => kind,
  },
];

/** `skolo metadata clients`: lists clients of the metadata server. */
export function define(command: SkoloCommand): void {
  command
    .description(
      "Lists the metadata server's clients with their identities and the last requests that they have sent since the server started. Addresses without an identity in rack.yaml come first. If the terminal is too small, clients in the states asked and never-asked share one line each; list them with --state.",
    )
    .summary('list clients and their last requests');
  addFilters(command, filters);
  command
    .option('--json', 'print JSON')
    .example('skolo metadata clients --rack racks/rack4/rack.yaml');

  command.action(async (options: Options) => {
    const { clients } = await metadataServer(command).ask((client) => client.clients());
    const sorted = clients.toSorted(byUrgency);
    const shown = selected(command.io, sorted, filters, options);
    if (options.json) return printJson(command.io, { clients: shown });
    const all = sorted.length;
    const totals = { rows: shown, all, noun: 'client', verdict: stateOf, order: states };
    return printOverview(command.io, {
      head: [headline(totals)],
      rows: shown,
      columns,
      remarks: [],
      verdict: stateOf,
      isFoldable: (each) => ['asked', 'never-asked'].includes(stateOf(each)),
      isSelection: isFiltered(filters, options),
    });
  });
}

function stateOf({ kind, lastAsked, lastTokenAsked }: MetadataClient): string {
  if (kind === 'unknown') return 'unknown';
  if (lastAsked === undefined) return 'never-asked';
  return lastTokenAsked === undefined ? 'no-token' : 'asked';
}

/** Problems first; among clients in the same state, the most recent one. */
function byUrgency(a: MetadataClient, b: MetadataClient): number {
  const rank = (client: MetadataClient) => states.indexOf(stateOf(client));
  return rank(a) - rank(b) || askedAt(b) - askedAt(a) || byNumber(a.name, b.name);
}

function askedAt({ lastAsked }: MetadataClient): number {
  return lastAsked === undefined ? 0 : Date.parse(lastAsked);
}

const columns: Column<MetadataClient>[] = [
  { title: 'NAME', cell: ({ name }) => name, shrinkTo: 16 },
  {
    title: 'KIND',
    cell: ({ kind }) => kind,
    style: ({ kind }) => (kind === 'unknown' ? 'red' : undefined),
    leaveOut: 2,
  },
  { title: 'ADDRESS', cell: ({ address }) => address },
  { title: 'IDENTITY', cell: ({ identity }) => identity, shrinkTo: 8, leaveOut: 4 },
  {
    title: 'LAST REQUEST',
    cell: ({ lastAsked }, now) => lastSeen(lastAsked, now),
    style: ({ lastAsked }) => (lastAsked === undefined ? 'yellow' : undefined),
  },
  { title: 'TOKEN', cell: ({ lastTokenAsked }, now) => lastSeen(lastTokenAsked, now), leaveOut: 3 },
  { title: 'REQUESTS', cell: ({ requests }) => requests, leaveOut: 1 },
];
