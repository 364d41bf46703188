import type { RackElement, RackPort } from '@skolo/api/machine-state';
import { Component } from 'preact';
import { MachineLink } from '../parts/links.tsx';
import { hrefOf } from '../parts/router.ts';
import { Ago } from '../parts/time.tsx';

/** Router, switches and PDUs with their ports. */
export function Elements({
  elements,
  port,
  linked,
  isMachine,
  onPort,
}: {
  elements: readonly RackElement[];
  /** The focused port or element. */
  port: string | undefined;
  linked: ReadonlySet<string>;
  isMachine(name: string): boolean;
  onPort(port: string): void;
}) {
  return (
    <section class="elements" aria-label="Infrastructure">
      {elements.map((element) => {
        const { name, model, state, why, since, power, uplink, ports } = element;
        const shown = ports.find((each) => `${name}/${each.port}` === port);
        return (
          <article key={name} id={`element-${name}`} class={port === name ? 'linked' : ''}>
            <h2>
              {name} <small>{model}</small>
              <span class={`state s-${state}`}>
                {state}
                {state === 'down' && (
                  <>
                    {' '}
                    <Ago time={since} />
                  </>
                )}
              </span>
            </h2>
            {why && <p class="failure">{why}</p>}
            <p class="muted">
              {uplink && <>uplink {uplink} · </>}
              {power.length > 0 && <>power {power.join(', ')} · </>}
              <a href={hrefOf('backups', [name])}>backup</a>{' '}
              <Ago time={element.lastBackup} suffix=" old" />
            </p>
            <ul class="ports">
              {ports.map((each) => {
                const id = `${name}/${each.port}`;
                return (
                  <li key={id}>
                    <Port
                      id={id}
                      port={each}
                      isLinked={linked.has(id) || id === port}
                      onPort={onPort}
                    />
                  </li>
                );
              })}
            </ul>
            <div role="status" class="cable">
              {shown && <Cable element={name} port={shown} isMachine={isMachine} />}
            </div>
          </article>
        );
      })}
    </section>
  );
}

interface PortProps {
  id: string;
  port: RackPort;
  isLinked: boolean;
  onPort(port: string): void;
}

class Port extends Component<PortProps> {
  override shouldComponentUpdate({ port, isLinked }: Readonly<PortProps>): boolean {
    return (
      isLinked !== this.props.isLinked || JSON.stringify(port) !== JSON.stringify(this.props.port)
    );
  }

  override render() {
    const { id, port, isLinked, onPort } = this.props;
    const { powers, connects, state } = port;
    const isUsed = powers.length + connects.length > 0;
    const said = isUsed ? saying(port) : 'not in use';
    return (
      <button
        type="button"
        class={`port ${isUsed ? `p-${state ?? 'data'}` : 'p-free'} ${isLinked ? 'linked' : ''}`}
        aria-label={`${id}: ${said}`}
        title={`${id}: ${said}`}
        data-port={id}
        onFocus={() => isUsed && onPort(id)}
        onClick={() => onPort(id)}
      >
        {port.port.replace(/^\D+/, '')}
      </button>
    );
  }
}

function saying({ powers, connects, state }: RackPort): string {
  return [
    state,
    powers.length > 0 && `powers ${powers.join(', ')}`,
    connects.length > 0 && `connects ${connects.join(', ')}`,
  ]
    .filter(Boolean)
    .join('; ');
}

/** Both ends. */
function Cable({
  element,
  port,
  isMachine,
}: {
  element: string;
  port: RackPort;
  isMachine(name: string): boolean;
}) {
  const ends = [...new Set([...port.connects, ...port.powers])];
  return (
    <p>
      <b>
        {element}/{port.port}
      </b>{' '}
      ⟷{' '}
      {ends.length === 0
        ? 'nothing'
        : ends.map((end, i) => (
            <span key={end}>
              {i > 0 && ', '}
              {isMachine(end) ? <MachineLink name={end} /> : end}
              <span class="muted">
                {' '}
                {[port.connects.includes(end) && 'network', port.powers.includes(end) && 'power']
                  .filter(Boolean)
                  .join(' and ')}
              </span>
            </span>
          ))}
      {port.state && <span class="muted"> · outlet {port.state}</span>}
    </p>
  );
}
