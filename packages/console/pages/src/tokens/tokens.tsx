import type { MetadataClient, MetadataIdentity } from '@skolo/api/metadata-server';
import { metadataServer } from '../live/api.ts';
import { MachineLink } from '../parts/links.tsx';
import { Load, useLoaded } from '../parts/load.tsx';
import { go, hrefOf, type Route } from '../parts/router.ts';
import { SearchField } from '../parts/search-field.tsx';
import { Table } from '../parts/table.tsx';
import { Ago, span } from '../parts/time.tsx';

const everyMs = 10_000;

/** The rack's identities with their tokens' lifetimes, and who has requested them. */
export function Tokens({ route }: { route: Route }) {
  const loaded = useLoaded(
    async (signal) => {
      const [{ identities }, { clients }] = await Promise.all([
        metadataServer.identities({ signal }),
        metadataServer.clients({ signal }),
      ]);
      return { identities, clients };
    },
    'tokens',
    everyMs,
  );
  return (
    <>
      <h1>Tokens</h1>
      <Load of={loaded}>
        {({ identities, clients }) => (
          <>
            <Identities identities={identities} />
            <Clients clients={clients} text={route.query.get('text') ?? ''} />
          </>
        )}
      </Load>
    </>
  );
}

function Identities({ identities }: { identities: MetadataIdentity[] }) {
  return (
    <Table caption="Identities" head={['Identity', 'Account', 'Token', 'Last renewed', '']}>
      {identities.map(({ name, email, tokenRemainingSeconds: left, lastSuccess, ...each }) => (
        <tr key={name}>
          <th scope="row">{name}</th>
          <td>{email}</td>
          <td>
            {left === undefined ? (
              <span class="failure">no valid token</span>
            ) : (
              `valid for ${span(left * 1000)}`
            )}
          </td>
          <td>
            <Ago time={lastSuccess} suffix=" ago" />
          </td>
          <td>{each.lastFailureReason}</td>
        </tr>
      ))}
    </Table>
  );
}

function Clients({ clients, text }: { clients: MetadataClient[]; text: string }) {
  const wanted = text.toLowerCase();
  const shown = clients.filter((client) => JSON.stringify(client).toLowerCase().includes(wanted));
  return (
    <>
      <h2>
        Clients
        <SearchField
          label="Client, identity or address"
          text={text}
          onText={(words) => go(hrefOf('tokens', [], { text: words }), true)}
        />
      </h2>
      <Table caption="Clients" head={['Client', 'Address', 'Identity', 'Last token', 'Requests']}>
        {shown.slice(0, 500).map(({ name, kind, address, identity, lastTokenAsked, requests }) => (
          <tr key={`${name} ${address}`}>
            <th scope="row">{kind === 'machine' ? <MachineLink name={name} /> : name}</th>
            <td>{address}</td>
            <td>{identity ?? <span class="muted">none</span>}</td>
            <td>
              <Ago time={lastTokenAsked} suffix=" ago" />
            </td>
            <td class="number">{requests}</td>
          </tr>
        ))}
      </Table>
    </>
  );
}
