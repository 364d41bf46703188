/**
 * PoE ports as Catalyst switches keep and show them. The tables are those of the command references of the Catalyst 3560
 * and 3650: `Power` is what is allotted by class, not what flows, and the table of one port is followed by a second one
 * whose line begins like the first's.
 */
import type { Switch } from '../../switch/switch.ts';

/** Watts that are allotted to a class. */
const allotments = [
  { upTo: 3.84, watts: 4, class: '1' },
  { upTo: 6.49, watts: 7, class: '2' },
  { upTo: 12.95, watts: 15.4, class: '3' },
  { upTo: Number.POSITIVE_INFINITY, watts: 30, class: '4' },
];

export function longName(port: string): string {
  return port
    .replace(/^Gi/, 'GigabitEthernet')
    .replace(/^Te/, 'TenGigabitEthernet')
    .replace(/^Fa/, 'FastEthernet');
}

/** The port that `gi1/0/3` or `GigabitEthernet1/0/3` means, in short. */
export function findPort(ports: readonly string[], name: string): string | undefined {
  const [, letters = '', number = ''] = /^([a-z]{2,})([\d/]+)$/i.exec(name) ?? [];
  return ports.find((port) => {
    const [, kind = '', place] = /^([A-Za-z]+)(.*)$/.exec(longName(port)) ?? [];
    return place === number && kind.toLowerCase().startsWith(letters.toLowerCase());
  });
}

/** `show power inline`. */
export function allPorts(device: Switch): string {
  const { ports } = device.power;
  const used = ports.reduce((sum, port) => sum + measure(device, port).watts, 0);
  const cells = [740, used, 740 - used].map((watts) => watts.toFixed(1));
  return [
    'Module   Available     Used     Remaining',
    '          (Watts)     (Watts)    (Watts)',
    '------   ---------   --------   ---------',
    `1${cells[0]?.padStart(17)}${cells[1]?.padStart(11)}${cells[2]?.padStart(12)}`,
    ...table(device, ports),
    '',
  ].join('\n');
}

/** `show power inline Gi1/0/3`. */
export function onePort(port: string, device: Switch): string {
  return [
    ...table(device, [port]),
    '',
    'Interface  AdminPowerMax   AdminConsumption',
    '             (Watts)           (Watts)',
    '---------- --------------- --------------------',
    '',
    `${port.padEnd(11)}${most(device, port).padStart(15)}${'15.4'.padStart(21)}`,
    '',
  ].join('\n');
}

function table(device: Switch, ports: readonly string[]): string[] {
  const rows = ports.map((port) => {
    const { oper, watts, class: name, device: plugged } = measure(device, port);
    const [admin = ''] = device.powerMode(port).replace('never', 'off').split(' ');
    return [
      port.padEnd(9),
      admin.padEnd(6),
      oper.padEnd(10),
      watts.toFixed(1).padEnd(7),
      plugged.padEnd(19),
      name.padEnd(5),
      most(device, port).padEnd(4),
    ].join(' ');
  });
  return [
    'Interface Admin  Oper       Power   Device              Class Max',
    '                            (Watts)',
    '--------- ------ ---------- ------- ------------------- ----- ----',
    ...rows,
  ];
}

function measure({ core: { board } }: Switch, port: string) {
  if (board.isFaulty(port)) {
    return { oper: 'faulty', watts: 0, device: 'n/a', class: 'n/a' };
  }
  const drawn = board.watts(port);
  const allotment = allotments.find(({ upTo }) => drawn <= upTo);
  if (drawn === 0 || !allotment) return { oper: 'off', watts: 0, device: 'n/a', class: 'n/a' };
  const { watts, class: name } = allotment;
  return { oper: 'on', watts, device: 'Ieee PD', class: name };
}

function most(device: Switch, port: string): string {
  const [, milliwatts] = /max (\d+)/.exec(device.powerMode(port)) ?? [];
  return (milliwatts === undefined ? 30 : Number(milliwatts) / 1000).toFixed(1);
}
