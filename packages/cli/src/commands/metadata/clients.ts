import type { MetadataClient } from '@skolo/api';
import { byNumber } from '../../names.ts';
import { list } from '../../output/list.ts';
import { lastSeen } from '../../output/time.ts';
import { metadataServer } from '../../reach/service-client.ts';

/** Most urgent first. `unknown`: rack.yaml has no identity for the address. */
const states = ['unknown', 'never-asked', 'no-token', 'asked'];

/** `skolo metadata clients`: lists clients of the metadata server. */
export const define = list<MetadataClient>({
  description:
    "Lists the metadata server's clients with their identities and the last requests that they have sent since the server started. Addresses without an identity in rack.yaml come first. If the terminal is too small, clients in the states asked and never-asked share one line each; list them with --state.",
  summary: 'list clients and their last requests',
  example: 'skolo metadata clients --rack racks/rack4/rack.yaml',
  filters: [
    {
      name: 'state',
      description: 'show only clients in these states',
      values: states,
      of: stateOf,
    },
    {
      name: 'kind',
      description: 'show only clients of these kinds',
      values: ['machine', 'cidr', 'jumphost', 'default', 'unknown'],
      of: ({ kind }) => kind,
    },
  ],
  async find({ command }) {
    const { clients } = await metadataServer(command).ask((client) => client.clients());
    return { rows: clients.toSorted(byUrgency) };
  },
  noun: 'client',
  verdict: stateOf,
  verdicts: states,
  isFoldable: (client) => ['asked', 'never-asked'].includes(stateOf(client)),
  columns: [
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
    {
      title: 'TOKEN',
      cell: ({ lastTokenAsked }, now) => lastSeen(lastTokenAsked, now),
      leaveOut: 3,
    },
    { title: 'REQUESTS', cell: ({ requests }) => requests, leaveOut: 1 },
  ],
});

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
