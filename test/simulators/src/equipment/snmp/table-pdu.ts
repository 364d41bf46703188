/**
 * A PDU whose outlets are set and read by the objects of a table: its own, or those of whatever has such a table.
 * No recording: its state matters, because outlets are switched by whatever table a test has.
 */
import { Faults, OutletBoard, type SimulatedDevice } from '../device.ts';
import { type SnmpModel, type SnmpOptions, snmpFaults, startSnmpAgent } from './agent.ts';
import { integer, integerOrText, SnmpMib, type SnmpObject, systemGroup } from './mib.ts';

type Value = number | string;

/** Objects are OIDs with `{outlet}`, `{outlet-1}` or `{outlet+1}` for the outlet. */
interface PduTable {
  on: { object: string; value: Value };
  off: { object: string; value: Value };
  read: { object: string; on: readonly Value[]; off: readonly Value[] };
  watts?: string | undefined;
  /** A value that turns an outlet on if it is off, and off if it is on. */
  toggle?: number;
  /** An object that reports the last value that was set. */
  setting?: string;
}

interface TablePduOptions {
  table: PduTable;
  /** The indexes of its outlets. */
  outlets: readonly string[];
  /** `sysObjectID`, by which some clients choose a table. */
  objectId?: string;
}

export function startTablePdu(
  { table, outlets, objectId }: TablePduOptions,
  options: SnmpOptions = {},
): Promise<SimulatedDevice> {
  return startSnmpAgent(tablePduModel({ table, outlets, ...(objectId && { objectId }) }), options);
}

export function tablePduModel({ table, outlets, objectId = '0.0' }: TablePduOptions): SnmpModel {
  const board = new OutletBoard(outlets.map((name) => [name, { on: true, watts: 40 }]));
  const faults = new Faults(snmpFaults);
  const { on, off, read, watts, toggle, setting } = table;
  const last = new Map<string, Value>();
  const told = (outlet: string) => {
    const [ofOn, ofOff] = [objectOf(on.object, outlet), objectOf(off.object, outlet)];
    const states = new Map<string, Map<Value, boolean>>([[ofOn, new Map()]]);
    states.set(ofOff, states.get(ofOff) ?? new Map());
    states.get(ofOn)?.set(on.value, true);
    states.get(ofOff)?.set(off.value, false);
    return states;
  };
  const objects = outlets.flatMap((outlet): SnmpObject[] => {
    const state = objectOf(read.object, outlet);
    const value = () => (board.isOn(outlet) ? read.on : read.off).at(-1) ?? 0;
    const shown = () => (faults.has('missing-instance') ? undefined : integerOrText(value()));
    const commands = told(outlet);
    return [
      ...[...commands].map(([oid, meanings]) => ({
        oid,
        read: shown,
        write: {
          check: (set: Value) => meanings.has(set) || set === toggle,
          commit: (set: Value) => {
            last.set(outlet, set);
            board.set(outlet, meanings.get(set) ?? (set === toggle && !board.isOn(outlet)));
          },
        },
      })),
      ...(commands.has(state) ? [] : [{ oid: state, read: shown }]),
      ...(setting === undefined
        ? []
        : [
            {
              oid: objectOf(setting, outlet),
              read: () => integerOrText(last.get(outlet) ?? on.value),
            },
          ]),
      ...(watts === undefined
        ? []
        : [{ oid: objectOf(watts, outlet), read: () => integer(board.watts(outlet)) }]),
    ];
  });
  return {
    model: 'snmp-switch',
    objectId,
    // snmpd has some of `system` itself; a subtree is that of the vendor.
    subtrees: [read.object.split('.').slice(0, 7).join('.')],
    board,
    faults,
    mib: new SnmpMib([...systemGroup({ descr: 'PDU', objectId, name: 'pdu' }), ...objects]),
    restart: () => undefined,
    stop: () => undefined,
  };
}

function objectOf(template: string, outlet: string): string {
  return template
    .replace('{outlet}', outlet)
    .replace('{outlet-1}', String(Number(outlet) - 1))
    .replace('{outlet+1}', String(Number(outlet) + 1));
}
