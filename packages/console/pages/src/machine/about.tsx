import type { Machine } from '@skolo/api/machine-state';
import type { ComponentChildren } from 'preact';
import { Command } from '../parts/command.tsx';
import { Facts } from '../parts/facts.tsx';
import { PortLink } from '../parts/links.tsx';
import { hrefOf } from '../parts/router.ts';
import { Ago } from '../parts/time.tsx';

/** Information about a machine apart from its history. */
export function About({ machine }: { machine: Machine }) {
  const { devices, alerts, repairs } = machine;
  return (
    <>
      {devices.map((device) => (
        <Device key={device.name} device={device} />
      ))}
      <Wiring machine={machine} />
      <Identity machine={machine} />
      <Computer machine={machine} />
      {alerts.length > 0 && <Alerts alerts={alerts} />}
      {repairs.length > 0 && <Repairs repairs={repairs} />}
    </>
  );
}

function Device({ device }: { device: Machine['devices'][number] }) {
  const ago = (at = '') => at && <Ago time={at} suffix=" ago" />;
  return (
    <section>
      <h2>
        {device.dimensions?.device_type?.join(', ') ?? device.name} <small>{device.state}</small>
      </h2>
      <Facts
        rows={[
          ['Serial', device.serial],
          ['System', device.dimensions?.device_os?.join(', ')],
          ['Battery', device.batteryPercent !== undefined && `${device.batteryPercent}%`],
          ...Object.entries(device.temperaturesCelsius ?? {}).map(
            ([sensor, celsius]): [string, string] => [
              `Temperature, ${sensor}`,
              `${celsius.toFixed(1)} °C`,
            ],
          ),
          ['Battery read', ago(device.batteryAt)],
          ['Temperatures read', ago(device.temperaturesAt)],
          ['Checked', ago(device.readAt)],
          [device.state === 'missing' ? 'Missing because' : 'Not checked because', device.why],
        ]}
      />
    </section>
  );
}

function Wiring({ machine }: { machine: Machine }) {
  const { wiring, power } = machine;
  return (
    <section>
      <h2>Wiring</h2>
      <Facts
        rows={[
          ['Network', wiring.uplink ? <PortLink port={wiring.uplink} /> : 'not in rack.yaml'],
          ...(power?.outlets ?? wiring.power.map((outlet) => ({ outlet, state: 'unknown' }))).map(
            ({ outlet, state }): [string, ComponentChildren] => [
              'Power',
              <>
                <PortLink port={outlet} /> {state}
              </>,
            ],
          ),
          [
            'Cycle',
            power?.cycle && (
              <a href="#/power">
                {power.cycle.step} ({power.cycle.id.slice(0, 8)})
              </a>
            ),
          ],
          ['Address', machine.address],
          ['MAC', machine.mac],
          ['Shelf', machine.shelf],
        ]}
      />
    </section>
  );
}

function Identity({ machine }: { machine: Machine }) {
  const { token, bot } = machine;
  return (
    <section>
      <h2>Identity and bot</h2>
      <Facts
        rows={[
          [
            'Identity',
            token ? (token.identity ?? 'none') : 'the metadata server is not responding',
          ],
          ['Last token', token?.lastAsked && <Ago time={token.lastAsked} suffix=" ago" />],
          [
            'Bot',
            bot && `${bot.state === 'none' ? 'no bot' : bot.state}${bot.why ? `: ${bot.why}` : ''}`,
          ],
          [
            'Last exit',
            bot?.lastExit && (
              <>
                {bot.lastExit.text}, <Ago time={bot.lastExit.at} suffix=" ago" />
              </>
            ),
          ],
          ['Pools', machine.pools.join(', ')],
        ]}
      />
    </section>
  );
}

function Computer({ machine }: { machine: Machine }) {
  const { host, versions } = machine;
  return (
    <section>
      <h2>Computer</h2>
      <Facts
        rows={[
          ['Kind', machine.kind],
          ['Temperature', typeof host?.celsius === 'number' && `${host.celsius} °C`],
          [
            'Disk free',
            typeof host?.diskFreeBytes === 'number' &&
              `${(host.diskFreeBytes / 1e9).toFixed(1)} GB`,
          ],
          ['Voltage', host?.underVoltage === true && 'too low'],
          ...Object.entries(versions ?? {}).map(([what, version]): [string, string] => [
            `Version, ${what}`,
            version,
          ]),
          ['Last response', machine.lastSeen && <Ago time={machine.lastSeen} suffix=" ago" />],
        ]}
      />
      <p>
        <a href={hrefOf('audit', [], { text: machine.name })}>Audit log of this machine</a>
      </p>
    </section>
  );
}

function Alerts({ alerts }: Pick<Machine, 'alerts'>) {
  return (
    <section>
      <h2>Alerts</h2>
      <ul class="plain">
        {alerts.map(({ name, summary, firstCommand, since }) => (
          <li key={`${name} ${since}`}>
            {name} <Ago time={since} />
            <p class="muted">{summary}</p>
            {firstCommand && <Command line={firstCommand} />}
          </li>
        ))}
      </ul>
    </section>
  );
}

function Repairs({ repairs }: Pick<Machine, 'repairs'>) {
  return (
    <section>
      <h2>Last repairs</h2>
      <ul class="plain">
        {repairs.toReversed().map(({ at, device, step, outcome, text }) => (
          <li key={`${at} ${step}`}>
            {step} of {device}: {outcome} <Ago time={at} suffix=" ago" />
            <p class="muted">{text}</p>
          </li>
        ))}
      </ul>
    </section>
  );
}
