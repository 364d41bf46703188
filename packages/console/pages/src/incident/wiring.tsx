import type { Away, IncidentMachine, IncidentReport } from '@skolo/api/incident';
import { leavings } from '@skolo/api/incident-text';
import type { Machine, RackEquipment } from '@skolo/api/machine-state';
import { useLive } from '../live/store.ts';
import { MachineLink, PortLink } from '../parts/links.tsx';
import { span } from '../parts/time.tsx';

/** The wiring in rack.yaml, from the outlet over the switch to its ports, each with when it came back, or the nearest evidence of why not. */
export function Wiring({ report }: { report: IncidentReport }) {
  const equipment = useLive(({ rack }) => rack?.equipment) ?? [];
  const all = useLive((live) => live.machines);
  const byUplink = Map.groupBy(report.machines, ({ name }) => {
    const { uplink, power = [] } = all.get(name)?.wiring ?? {};
    return (uplink ?? power[0] ?? '').replace(/\/.*/, '');
  });
  byUplink.delete('');
  if (byUplink.size === 0) return null;
  return (
    <section class="wiring">
      <h2>Wiring</h2>
      <ul>
        {[...byUplink].map(([name, machines]) => (
          <li key={name}>
            <Head name={name} equipment={equipment} />
            <ul>
              {machines.map((machine) => (
                <Port
                  key={machine.name}
                  machine={machine}
                  away={report.away.find((each) => each.name === machine.name)}
                  wiring={all.get(machine.name)?.wiring ?? { power: [] }}
                  equipment={equipment}
                />
              ))}
            </ul>
          </li>
        ))}
      </ul>
    </section>
  );
}

function Head({ name, equipment }: { name: string; equipment: readonly RackEquipment[] }) {
  const found = equipment.find((each) => each.name === name);
  const { power = [], state = 'unknown', why } = found ?? {};
  return (
    <p>
      {power.map((outlet) => (
        <span key={outlet}>
          <PortLink port={outlet} /> <Mark state={stateOf(outlet, equipment)} /> →{' '}
        </span>
      ))}
      <PortLink port={name} /> <Mark state={state} /> {state === 'up' ? '' : (why ?? state)}
    </p>
  );
}

function stateOf(outlet: string, equipment: readonly RackEquipment[]) {
  const [name, ...port] = outlet.split('/');
  const ports = equipment.find((each) => each.name === name)?.ports ?? [];
  return ports.find((each) => each.port === port.join('/'))?.state ?? 'unknown';
}

function Mark({ state }: { state: string }) {
  const isWell = state === 'up' || state === 'on';
  const text = isWell ? '✓' : state === 'unknown' ? '?' : '✕';
  return (
    <span class={isWell ? 'mark-ok' : state === 'unknown' ? 'muted' : 'mark-bad'} title={state}>
      {text}
    </span>
  );
}

function Port({
  machine: { name, at, answeredAt, left },
  away,
  wiring: { uplink: port = '', power },
  equipment,
}: {
  machine: IncidentMachine;
  away: Away | undefined;
  wiring: Machine['wiring'];
  equipment: readonly RackEquipment[];
}) {
  const off = power.filter((outlet) => stateOf(outlet, equipment) === 'off');
  const nearest = left ? leavings[left.as] : `${away?.evidence[0]?.text ?? 'silent'}`;
  return (
    <li>
      {off.map((outlet) => (
        <span key={outlet}>
          <PortLink port={outlet} /> <Mark state="off" /> →{' '}
        </span>
      ))}
      <span class="muted">{port.slice(port.indexOf('/') + 1)}</span> <MachineLink name={name} />{' '}
      {answeredAt ? (
        <>
          <span class="mark-ok">✓</span> {span(Date.parse(answeredAt) - Date.parse(at))}
        </>
      ) : (
        <>
          <span class="mark-bad">✕</span> {nearest}
        </>
      )}
    </li>
  );
}
