/**
 * A switch that feeds its ports by PoE, as POWER-ETHERNET-MIB (RFC 3621, 1.3.6.1.2.1.105) tells it: what is set
 * (pethPsePortAdminEnable) and what comes of it (pethPsePortDetectionStatus).
 *
 * A port that is turned on searches for about a second before it delivers; one with nothing plugged in searches for
 * ever. Some switches are busy while they apply a setting, for longer than a client waits (net-snmp issue 194, Netgear
 * GS724TP): `setMs`. What is set is lost with power unless it was saved, so after a reboot every port is on.
 *
 * No recording: its state matters, because ports are switched, and search before they deliver.
 */
import { Faults, OutletBoard, type SimulatedDevice } from '../device.ts';
import { Plugged, type Wiring } from '../wiring.ts';
import { type SnmpModel, type SnmpOptions, snmpFaults, startSnmpAgent } from './agent.ts';
import { type BridgeAbout, bridgeMib, bridgeSubtrees } from './bridge-mib.ts';
import { integer, SnmpMib, type SnmpObject, systemGroup } from './mib.ts';

interface PoeSwitchPorts {
  ports?: number;
  /** Slots, or members of a stack; the outlets of the first are `7`, of the others `2.7`. */
  groups?: number;
  /** What is plugged into each port draws this much; default 4. A port of 0 W has nothing plugged in. */
  watts?: number;
  /** Between on and power; default 1000. */
  detectMs?: number;
  /** Then it has a MAC table. */
  wiring?: Wiring;
  /** `dot1q` when absent. */
  tables?: BridgeAbout['tables'];
  /** What its ports are called; `2/0/14` for port 14 of group 2 when absent. Undefined: it has no ifName. */
  ifName?: (group: number, port: number) => string | undefined;
}

interface Numbered {
  group: number;
  port: number;
  /** The outlet. */
  name: string;
}

interface PoeSwitchOptions extends SnmpOptions, PoeSwitchPorts {}

export function startPoeSwitch(options: PoeSwitchOptions = {}): Promise<SimulatedDevice> {
  return startSnmpAgent(poeSwitchModel(options), options);
}

const portTable = '1.3.6.1.2.1.105.1.1.1';
const truth = { true: 1, false: 2 } as const;
const detection = { disabled: 1, searching: 2, deliveringPower: 3, fault: 4 } as const;

export function poeSwitchModel(options: PoeSwitchPorts = {}): SnmpModel {
  const { ports = 8, groups = 1, watts = 4, detectMs = 1000 } = options;
  const numbered = numberedPorts(groups, ports);
  const board = new OutletBoard(numbered.map(({ name }) => [name, { on: true, watts }]));
  const faults = new Faults(snmpFaults);
  const turnedOn = new Map<string, number>();
  board.on('change', ({ outlet, on }) => {
    if (on) turnedOn.set(outlet, performance.now());
  });

  function detected(name: string): number {
    if (!board.isOn(name)) return detection.disabled;
    if (board.isFaulty(name)) return detection.fault;
    const since = performance.now() - (turnedOn.get(name) ?? Number.NEGATIVE_INFINITY);
    const found = board.watts(name) > 0 && since >= detectMs;
    return found ? detection.deliveringPower : detection.searching;
  }

  function rows({ group, port, name }: Numbered): SnmpObject[] {
    const object = (column: number, read: () => number, write?: (on: boolean) => void) => ({
      oid: `${portTable}.${column}.${group}.${port}`,
      read: () => (faults.has('missing-instance') ? undefined : integer(read())),
      ...(write && {
        write: {
          check: (value: number) => value === truth.true || value === truth.false,
          commit: (value: number) => write(value === truth.true),
        },
      }),
    });
    return [
      object(
        3,
        () => (board.isOn(name) ? truth.true : truth.false),
        (on) => board.set(name, on),
      ),
      object(6, () => detected(name)),
      // class0 is 1, class3 is 4.
      object(10, () => (board.watts(name) > 0 ? 4 : 1)),
    ];
  }

  const objectId = '1.3.6.1.4.1.8072.3.2.10';
  return {
    model: 'snmp-poe',
    objectId,
    board,
    faults,
    mib: new SnmpMib([
      ...systemGroup({ descr: 'Switch with PoE (simulated)', objectId, name: 'switch' }),
      ...numbered.flatMap(rows),
      ...bridge(numbered, board, options),
    ]),
    ...(options.wiring && { subtrees: bridgeSubtrees }),
    restart() {
      for (const { name } of numbered) {
        board.set(name, true);
        turnedOn.set(name, performance.now());
      }
    },
    stop: () => undefined,
  };
}

function numberedPorts(groups: number, ports: number): Numbered[] {
  return range(groups).flatMap((group) =>
    range(ports).map((port) => ({
      group,
      port,
      name: group === 1 ? `${port}` : `${group}.${port}`,
    })),
  );
}

const usualName = (group: number, port: number) => `${group}/0/${port}`;

/** Its MAC table, if its wiring is known. */
function bridge(
  numbered: readonly Numbered[],
  board: OutletBoard,
  { wiring, tables = 'dot1q', ifName = usualName }: PoeSwitchPorts,
): SnmpObject[] {
  if (wiring === undefined) return [];
  const plugged = new Plugged(wiring, board);
  const about = numbered.map(({ group, port, name }) => {
    const called = ifName(group, port);
    return {
      port: name,
      ...(called !== undefined && { ifName: called }),
      ifDescr: `Unit: ${group} Slot: 0 Port: ${port} Gigabit - Level`,
    };
  });
  return bridgeMib(plugged, { ports: about, tables });
}

function range(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index + 1);
}
