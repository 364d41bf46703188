import { type DeliveryFacts, deliveryOf } from '@skolo/alerts/delivery-state';
import { pageOf } from '@skolo/alerts/subject';
import type {
  DeadLetter,
  KnownAlert,
  ReceiverStatus,
  SinkStatus,
} from '@skolo/api/alert-to-pubsub';
import { alertToPubsub } from '../live/api.ts';
import { Command } from '../parts/command.tsx';
import { Attempt, Load, useLoaded } from '../parts/load.tsx';
import { go, hrefOf, type Route } from '../parts/router.ts';
import { SearchField } from '../parts/search-field.tsx';
import { Table } from '../parts/table.tsx';
import { Ago } from '../parts/time.tsx';

const everyMs = 5000;

/** The page of firing alerts, and whether they are delivered. */
export function Alerts({ route }: { route: Route }) {
  const loaded = useLoaded(
    async (signal) => {
      const [{ alerts }, status, { deadLetters }] = await Promise.all([
        alertToPubsub.alerts({ signal }),
        alertToPubsub.status({ signal }),
        alertToPubsub.deadLetters({ signal }),
      ]);
      return { alerts, status, deadLetters };
    },
    'alerts',
    everyMs,
  );
  const text = route.query.get('text') ?? '';
  return (
    <>
      <h1>Alerts</h1>
      <Load of={loaded}>
        {({ alerts, status, deadLetters }) => (
          <>
            <Delivery status={status} />
            <Firing alerts={alerts} text={text} />
            <h2>Delivery</h2>
            <Receivers receivers={status.receivers} />
            <Sinks sinks={status.sinks} />
            {deadLetters.length > 0 && (
              <DeadLetters deadLetters={deadLetters} onRetried={loaded.reload} />
            )}
          </>
        )}
      </Load>
    </>
  );
}

function Delivery({ status }: { status: DeliveryFacts }) {
  const { state, text } = deliveryOf(status);
  const isBad = state === 'failing' || state === 'silent';
  return (
    <p class={`card ${isBad ? 'bad' : ''}`}>
      Alerts {state}
      {text && `: ${text}`}
    </p>
  );
}

function Firing({ alerts, text }: { alerts: KnownAlert[]; text: string }) {
  const wanted = text.toLowerCase();
  const firing = alerts.filter(({ status }) => status === 'firing');
  const shown = firing.filter((alert) => JSON.stringify(alert).toLowerCase().includes(wanted));
  return (
    <>
      <h2>
        {firing.length} firing
        <SearchField
          label="Filter by text"
          text={text}
          onText={(words) => go(hrefOf('alerts', [], { text: words }), true)}
        />
      </h2>
      {shown.length > 0 && (
        <Table
          caption="Firing alerts"
          head={['Alert', 'Summary and first command', 'Labels', 'For']}
        >
          {shown.map(({ fingerprint, labels, annotations, startsAt }) => (
            <tr key={fingerprint}>
              <th scope="row">
                <a href={`#/${pageOf({ labels, annotations })}`}>{labels.alertname}</a>{' '}
                <span class="tag">{labels.severity}</span>
              </th>
              <td>
                {annotations.summary ?? annotations.description}
                {annotations.first_command && <Command line={annotations.first_command} />}
              </td>
              <td class="labels">
                {Object.entries(labels)
                  .filter(([name]) => name !== 'alertname' && name !== 'severity')
                  .map(([name, value]) => (
                    <span key={name}>
                      {name}={value}{' '}
                    </span>
                  ))}
              </td>
              <td>
                <Ago time={startsAt} />
              </td>
            </tr>
          ))}
        </Table>
      )}
    </>
  );
}

function Receivers({ receivers }: { receivers: ReceiverStatus[] }) {
  if (receivers.length === 0) return <p class="muted">No alert has been received yet.</p>;
  return (
    <Table caption="Receivers" head={['Received from', 'State', 'Last']}>
      {receivers.map(({ name, isExpected, isSilent, lastHeard }) => (
        <tr key={name}>
          <th scope="row">{name}</th>
          <td>
            {isSilent
              ? isExpected
                ? 'silent'
                : 'silent, but no alerts are expected'
              : 'receiving'}
          </td>
          <td>
            <Ago time={lastHeard} suffix=" ago" />
          </td>
        </tr>
      ))}
    </Table>
  );
}

function Sinks({ sinks }: { sinks: SinkStatus[] }) {
  return (
    <Table caption="Sinks" head={['Sent to', 'Queue', 'Last success', '', '']}>
      {sinks.map(({ name, kind, depth, lastSuccess, failingSince, detail }) => (
        <tr key={name}>
          <th scope="row">
            {name} <span class="muted">{kind}</span>
          </th>
          <td class="number">{depth}</td>
          <td>
            <Ago time={lastSuccess} suffix=" ago" />
          </td>
          <td>
            {failingSince && (
              <span class="failure">
                failing for <Ago time={failingSince} />: {detail}
              </span>
            )}
          </td>
          <td>
            <Attempt
              text="Send a test"
              label={`Send a test to ${name}`}
              run={() => alertToPubsub.sendTest({ params: { sink: name } })}
            />
          </td>
        </tr>
      ))}
    </Table>
  );
}

function DeadLetters(props: { deadLetters: DeadLetter[]; onRetried(): void }) {
  return (
    <>
      <h2>
        Dead letters{' '}
        <Attempt
          text="Resend"
          label="Resend dead letters"
          run={async () => {
            await alertToPubsub.retryDeadLetters({ body: {} });
            props.onRetried();
          }}
        />
      </h2>
      <Table caption="Dead letters" head={['From', 'Why', 'Age']}>
        {props.deadLetters.map(({ at, from, why }) => (
          <tr key={`${at} ${why}`}>
            <th scope="row">{from}</th>
            <td>{why}</td>
            <td>
              <Ago time={at} />
            </td>
          </tr>
        ))}
      </Table>
    </>
  );
}
