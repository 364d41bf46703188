/**
 * PoE ports as Fastpath switches of Ubiquiti (EdgeSwitch, older UniFi switches) show them.
 *
 * `show poe status` is as in sessions that users recorded: seven columns, on newer firmware eight, Detection of one word
 * or two. `show poe port` has the columns that the manual lists; their widths are made up.
 */
import type { Switch } from '../../switch/switch.ts';

const words: Readonly<Record<string, string>> = {
  auto: 'Auto',
  passive24v: 'Passive24v',
  shutdown: 'Shutdown',
};

export function portStatus(device: Switch, ports: readonly string[]): string {
  const meter = device.fill('{hasMeter}') !== '';
  const rows = ports.map((port) => {
    const { detection, watts, volts, powerClass } = measure(device, port);
    const milliamperes = volts === 0 ? 0 : (watts / volts) * 1000;
    return [
      port.padEnd(9),
      detection.padEnd(14),
      powerClass.padEnd(7),
      watts.toFixed(2).padStart(11),
      volts.toFixed(2).padStart(10),
      milliamperes.toFixed(2).padStart(11),
      ...(meter ? [(watts * 24).toFixed(2).padStart(18)] : []),
      '43'.padStart(14),
    ].join(' ');
  });
  const columns = meter
    ? 'Current(mA) Consumed Meter(Whr) Temperature(C)'
    : 'Current(mA) Temperature(C)';
  const dashes = meter ? `${'-'.repeat(18)} ` : '';
  return [
    '',
    `Intf      Detection      Class   Consumed(W) Voltage(V) ${columns}`,
    `--------- -------------- ------- ----------- ---------- ----------- ${dashes}--------------`,
    ...rows,
    '',
  ].join('\n');
}

export function portSettings(device: Switch, ports: readonly string[]): string {
  const rest = 'Enable    Dot3at     Enable        Enable            Enable';
  const rows = ports.map((port) => {
    const mode = words[device.powerMode(port)] ?? '';
    return `${port.padEnd(9)} ${mode.padEnd(12)} ${rest}`;
  });
  return [
    '',
    'Intf      OP Mode      HP Enable HP Mode    Detect Enable Disconnect Enable Class Enable',
    '--------- ------------ --------- ---------- ------------- ----------------- ------------',
    ...rows,
    '',
  ].join('\n');
}

interface Measured {
  /** `Good`: power flows. */
  detection: string;
  watts: number;
  volts: number;
  /** `Class2`, `Unknown`. */
  powerClass: string;
}

const nothing = { watts: 0, volts: 0, powerClass: 'Unknown' };

export function measure(device: Switch, port: string): Measured {
  const { board } = device.core;
  const outlet = device.outlet(port);
  if (!board.isOn(outlet)) return { detection: 'Disabled', ...nothing };
  if (board.isFaulty(outlet)) return { detection: 'Fault', ...nothing };
  if (device.searching.has(port)) return { detection: 'Searching', ...nothing };
  const watts = board.watts(outlet);
  if (watts === 0) return { detection: 'Open Circuit', ...nothing };
  const volts = device.powerMode(port) === 'passive24v' ? 24.1 : 53.46;
  return { detection: 'Good', watts, volts, powerClass: powerClass(watts) };
}

function powerClass(watts: number): string {
  const limits = [3.84, 6.49, 12.95];
  const index = limits.findIndex((limit) => watts <= limit);
  return `Class${index === -1 ? 4 : index + 1}`;
}
