/**
 * Any PoE switch with POWER-ETHERNET-MIB (RFC 3621).
 *
 *     switch-3: { model: snmp-poe, address: 192.168.1.13, login: switches-snmp, portCount: 24, groups: 2 }
 *
 * Verified with: Debian's snmpd (5.9.3) with these objects; our simulator, set by net-snmp's tools (5.9.3).
 *
 * Quirks. Some switches take longer to apply a setting than a client waits (net-snmp issue 194, Netgear GS724TP): the command fails, but
 * the port is off, as the reading shows. A port that is on delivers only a second or more later. Ports are numbered as in this table, which
 * on some switches differs from the labels: groups are slots, or members of a stack. Watts of a port are not in the standard. The setting
 * is lost with the switch's power unless somebody saves it.
 */

import { DeviceRejected } from '@skolo/equipment/transports';
import { snmpTo } from '@skolo/equipment/transports/snmp';
import type {
  ConnectedHost,
  ConnectedHosts,
  ConnectedHostsReader,
} from '../contract/connected-hosts.ts';
import type { Device } from '../contract/device.ts';
import { driverKind } from '../contract/outlets.ts';
import { isOfOne } from '../families/mac-address.ts';
import { snmpOutlets } from '../families/snmp-outlets.ts';

const portTable = '1.3.6.1.2.1.105.1.1.1';
/** pethPsePortAdminEnable: a TruthValue. */
const admin = `${portTable}.3.{outlet}`;
/** A value of pethPsePortDetectionStatus. */
const deliveringPower = 3;
const faults = new Map([
  [4, 'fault'],
  [6, 'otherFault'],
]);

export const outlets = driverKind({
  model: 'snmp-poe',
  automaticRepair: true,
  create: (device, deps) =>
    snmpOutlets(device, deps, {
      // `14` is port 14 of group 1, `2.14` of group 2.
      index: (outlet) => (outlet.includes('.') ? outlet : `1.${outlet}`),
      on: { object: admin, value: 1 },
      off: { object: admin, value: 2 },
      read: { object: admin, on: [1], off: [2] },
      more: {
        object: `${portTable}.6.{outlet}`,
        read(detection, state) {
          if (detection === undefined) return {};
          const fault = state === 'on' ? faults.get(detection) : undefined;
          return { delivering: detection === deliveringPower, fault };
        },
      },
    }),
});

/**
 * Any switch with BRIDGE-MIB (RFC 4188) or Q-BRIDGE-MIB (RFC 4363), over SNMP: MAC table and links.
 *
 * Verified with: Debian's snmpd (5.9.3) with these tables; excerpts of recordings of real switches; our simulator.
 *
 * A bridge port is not an interface, and an interface is not a label: the port is the last number in the name of the interface
 * (`ifName`, else `ifDescr`), counted from 1 even if the names count from 0, and with several groups the first number is the group. What
 * is no Ethernet port, such as a LAG, keeps its name. Some switches say that VLANs and LAGs are Ethernet (TP-Link JetStream), so ports
 * with a connector come first, if the switch says which have one, then those with the form of name that most have. What Allied Telesis
 * AlliedWare Plus says of connectors is the state of the link, so it does not count. Rows with VLANs begin with the number of a
 * filtering database, which is not always the VLAN (netdisco/snmp-info pull request 416).
 */

const ifEntry = '1.3.6.1.2.1.2.2.1';
/** Its columns: 1 ifName, 17 ifConnectorPresent. */
const ifXEntry = '1.3.6.1.2.1.31.1.1.1';
const bridge = '1.3.6.1.2.1.17';
/** Their columns: 2 the port, 3 the status. With VLANs, and without. */
const [vlanTable, plainTable] = [`${bridge}.7.1.2.2.1`, `${bridge}.4.3.1`];
/** dot1qVlanFdbId: of each VLAN, its filtering database. VLANs may share one. */
const databases = `${bridge}.7.1.4.2.1.3`;
/** dot1dTpFdbStatus, dot1qTpFdbStatus. */
const learned = 3;
const itself = 4;
/** ifType of ports for cables: ethernetCsmacd, gigabitEthernet. */
const ethernet: readonly unknown[] = [6, 117];
const up = 1;
/** ifConnectorPresent: true. */
const connectorPresent = 1;
/** ifType of what never has one: softwareLoopback, l2vlan, l3ipvlan. */
const virtual: readonly unknown[] = [24, 135, 136];

type Walk = (root: string) => Promise<ReadonlyMap<string, number | Buffer>>;

export function connectedHosts(device: Device): ConnectedHostsReader {
  return {
    async read({ credentials, signal, onTranscript, dry }) {
      const snmp = snmpTo(device, { credentials, onTranscript, dry });
      return await read(device, (root) => snmp.walk(root, signal));
    },
  };
}

async function read(device: Device, walk: Walk): Promise<ConnectedHosts> {
  const interfaces = await interfacesOf(device, walk);
  const indexOf = await walk(`${bridge}.1.4.1.2`);
  const portOf = (bridgePort: number) => {
    const index = indexOf.get(String(bridgePort));
    return interfaces.get(String(index))?.name ?? `bridge port ${bridgePort}`;
  };
  const own = addressIn((await walk(`${bridge}.1.1`)).get('0'));
  const found: ConnectedHost[] = [];
  const vlans = Map.groupBy(await walk(databases), ([, database]) => String(database));
  for (const table of [vlanTable, plainTable]) {
    const [ports, kinds] = [await walk(`${table}.2`), await walk(`${table}.3`)];
    for (const [row, port] of ports) {
      const numbers = row.split('.');
      const mac = macIn(numbers.slice(-6).map(Number));
      if (typeof port !== 'number' || !isOfOne(mac)) continue;
      if (kinds.get(row) === itself) own.push(mac);
      if ((kinds.get(row) ?? learned) !== learned || port === 0) continue;
      const [[vlan = ''] = numbers, ...others] = vlans.get(String(numbers[0])) ?? [];
      const isKnown = table === vlanTable && others.length === 0;
      const ofVlan = isKnown ? { vlan: vlan.slice(vlan.lastIndexOf('.') + 1) } : {};
      found.push({ mac, port: portOf(port), ...ofVlan, source: 'mac-table' });
    }
    if (ports.size > 0) break;
  }
  const named = [...interfaces.values()].filter(({ isPort }) => isPort);
  return {
    hosts: found,
    ports: named.map(({ name, isUp }) => ({ name, up: isUp })),
    own: [...new Set(own)],
  };
}

interface Interface {
  name: string;
  isPort: boolean;
  isUp: boolean;
}

/** By ifIndex. @throws DeviceRejected It has none. */
async function interfacesOf(device: Device, walk: Walk): Promise<Map<string, Interface>> {
  const [descriptions, types, states, names, connectors] = [
    await walk(`${ifEntry}.2`),
    await walk(`${ifEntry}.3`),
    await walk(`${ifEntry}.8`),
    await walk(`${ifXEntry}.1`),
    await walk(`${ifXEntry}.17`),
  ];
  if (descriptions.size === 0) {
    throw new DeviceRejected(
      device.name,
      'does not have an interface table (IF-MIB); check that the login has read access',
    );
  }
  const present = [...connectors].flatMap(([key, has]) => (has === connectorPresent ? key : []));
  const saysConnectors = !present.some((index) => virtual.includes(types.get(index)));
  const named = [...descriptions].map(([index, description]) => {
    const name = String(names.get(index) ?? '') || String(description);
    return { index, name, hasConnector: saysConnectors && present.includes(index) };
  });
  const isEthernet = (index: string) => ethernet.includes(types.get(index));
  const ports = named.filter(({ index }) => isEthernet(index));
  const forms = Map.groupBy(ports, ({ name }) => formOf(name));
  const alike = (name: string) => forms.get(formOf(name)) ?? [];
  ports.sort(
    (a, b) =>
      Number(b.hasConnector) - Number(a.hasConnector) ||
      alike(b.name).length - alike(a.name).length,
  );
  const taken = new Set<string>();
  const labels = new Map<string, string>();
  for (const { index, name } of ports) {
    const others = alike(name);
    const isFromZero = others.length > 1 && others.some((each) => lastNumber(each.name) === 0);
    const label = labelOf(device, name, isFromZero ? 1 : 0);
    // `Te1/0/1` follows `Gi1/0/1`, which is port 1.
    if (label === undefined || taken.has(label)) continue;
    taken.add(label);
    labels.set(index, label);
  }
  const main = formOf(ports[0]?.name ?? '');
  return new Map(
    named.map(({ index, name, hasConnector }) => {
      const [label, isUp] = [labels.get(index), states.get(index) === up];
      const isOne = isEthernet(index) && (hasConnector || formOf(name) === main);
      return [index, { name: label ?? name, isPort: label !== undefined || isOne, isUp }];
    }),
  );
}

/** Of a name: the same for all ports of a kind. */
function formOf(name: string): string {
  return name.replace(/\d+/g, '0');
}

function lastNumber(name: string): number {
  return Number(name.match(/\d+/g)?.at(-1));
}

/** `2/0/14` is `2.14`; `g14` and `Slot: 0 Port: 14 Gigabit` are `14`. Undefined if there is no such port. */
function labelOf(device: Device, name: string, offset: number): string | undefined {
  const numbers = name.match(/\d+/g) ?? [];
  const [group, last] = [Number(numbers[0]), lastNumber(name) + offset];
  if (!(last > 0)) return undefined;
  const inGroup = numbers.length > 1 && group > 1 && group <= Number(device.options.groups);
  return inGroup ? `${group}.${last}` : String(last);
}

/** Six bytes, or a text such as `b0:be:76:3b:5d:e1` or `0:e:c4:d0:48:c6`. */
function addressIn(value: number | Buffer | undefined): string[] {
  if (!Buffer.isBuffer(value)) return [];
  const numbers = value.toString().split(':');
  const bytes = value.length === 6 ? [...value] : numbers.map((each) => Number.parseInt(each, 16));
  const isAddress = bytes.length === 6 && bytes.every((byte) => byte >= 0 && byte <= 0xff);
  return isAddress ? [macIn(bytes)] : [];
}

function macIn(numbers: readonly number[]): string {
  return numbers.map((each) => each.toString(16).padStart(2, '0')).join(':');
}
