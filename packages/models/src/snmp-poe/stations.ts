/**
 * Any switch with BRIDGE-MIB (RFC 4188) or Q-BRIDGE-MIB (RFC 4363), over SNMP: MAC table and links.
 *
 * Proven against: Debian's snmpd (5.9.3) with these tables; own simulator. Hardware: none.
 *
 * A bridge port is not an interface, and an interface is not a label: the port is the last number in the name of the interface
 * (`ifName`, else `ifDescr`), and with several groups the first number is the group. What is no Ethernet port, such as a LAG,
 * keeps its name.
 */
import { DeviceRefused } from '@skolo/equipment';
import { snmpTo } from '@skolo/equipment/snmp';
import type { Device } from '../contract/device.ts';
import {
  portName,
  type SeenStations,
  type Station,
  type StationReader,
} from '../contract/stations.ts';
import { isOfOne, macOf } from '../families/mac-address.ts';

const ifEntry = '1.3.6.1.2.1.2.2.1';
const ifName = '1.3.6.1.2.1.31.1.1.1.1';
const bridge = '1.3.6.1.2.1.17';
/** Beneath it are columns: 2 the port, 3 the status. With VLANs, and without. */
const tables = [
  { table: `${bridge}.7.1.2.2.1`, hasVlan: true },
  { table: `${bridge}.4.3.1`, hasVlan: false },
];
/** dot1dTpFdbStatus, dot1qTpFdbStatus. */
const learned = 3;
const itself = 4;
/** ifType of what a cable is plugged into: ethernetCsmacd, gigabitEthernet. */
const ethernet: readonly unknown[] = [6, 117];
const up = 1;

type Walk = (root: string) => Promise<ReadonlyMap<string, number | Buffer>>;

export function stations(device: Device): StationReader {
  return {
    async read({ credentials, signal }) {
      const snmp = snmpTo(device, { credentials });
      return await read(device, (root) => snmp.walk(root, signal));
    },
  };
}

async function read(device: Device, walk: Walk): Promise<SeenStations> {
  const interfaces = await interfacesOf(device, walk);
  const indexOf = await walk(`${bridge}.1.4.1.2`);
  const portOf = (bridgePort: number) => {
    const index = indexOf.get(String(bridgePort));
    return interfaces.get(String(index))?.name ?? `bridge port ${bridgePort}`;
  };
  const address = (await walk(`${bridge}.1.1`)).get('0');
  const own =
    Buffer.isBuffer(address) && address.length === 6 ? [macOf(address.toString('hex'))] : [];
  const found: Station[] = [];
  for (const { table, hasVlan } of tables) {
    const [ports, kinds] = [await walk(`${table}.2`), await walk(`${table}.3`)];
    for (const [row, port] of ports) {
      const numbers = row.split('.');
      const mac = macIn(numbers.slice(-6));
      if (typeof port !== 'number' || !isOfOne(mac)) continue;
      if (kinds.get(row) === itself) own.push(mac);
      if (kinds.get(row) !== learned || port === 0) continue;
      const vlan = hasVlan && numbers[0] !== undefined ? { vlan: numbers[0] } : {};
      found.push({ mac, port: portOf(port), ...vlan, source: 'mac-table' });
    }
    if (ports.size > 0) break;
  }
  const named = [...interfaces.values()].filter(({ isPort }) => isPort);
  return {
    stations: found,
    ports: named.map(({ name, isUp }) => ({ name, up: isUp })),
    own: [...new Set(own)],
  };
}

interface Interface {
  name: string;
  isPort: boolean;
  isUp: boolean;
}

/** By ifIndex. @throws DeviceRefused It has none. */
async function interfacesOf(device: Device, walk: Walk): Promise<Map<string, Interface>> {
  const [descriptions, types, states, names] = [
    await walk(`${ifEntry}.2`),
    await walk(`${ifEntry}.3`),
    await walk(`${ifEntry}.8`),
    await walk(ifName),
  ];
  if (descriptions.size === 0) {
    throw new DeviceRefused(
      device.name,
      'it has no table of interfaces (IF-MIB); may its login read it?',
    );
  }
  const interfaces = new Map<string, Interface>();
  const taken = new Set<string>();
  for (const [index, description] of descriptions) {
    const name = String(names.get(index) ?? description);
    const label = ethernet.includes(types.get(index)) ? labelOf(device, name) : undefined;
    // `Te1/0/1` comes behind `Gi1/0/1`, which is port 1.
    const isPort = label !== undefined && !taken.has(label);
    if (isPort) taken.add(label);
    interfaces.set(index, { name: isPort ? label : name, isPort, isUp: states.get(index) === up });
  }
  return interfaces;
}

/** `2/0/14` is `2.14`; `g14` and `Slot: 0 Port: 14 Gigabit` are `14`. Undefined: it has no such port. */
function labelOf(device: Device, name: string): string | undefined {
  const numbers = name.match(/\d+/g) ?? [];
  const [first, last] = [numbers[0], numbers.at(-1)];
  if (first === undefined || last === undefined) return undefined;
  const inGroup = Number(device.options.groups) > 1 && numbers.length > 1 && Number(first) > 1;
  const written = inGroup ? `${Number(first)}.${Number(last)}` : String(Number(last));
  const label = portName(device, written);
  return label === written ? label : undefined;
}

function macIn(numbers: readonly string[]): string {
  return numbers.map((each) => Number(each).toString(16).padStart(2, '0')).join(':');
}
