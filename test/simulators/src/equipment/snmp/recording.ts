/** An SNMP agent that repeats what a real one once answered. It knows nothing about devices, and takes any integer without effect. */
import { Faults, OutletBoard, type SimulatedDevice } from '../device.ts';
import { type SnmpOptions, startSnmpAgent } from './agent.ts';
import { SnmpMib } from './mib.ts';
import type { SnmpValue } from './pdu.ts';

/** By object, with its index. */
type Recorded = ReadonlyMap<string, SnmpValue>;

/** @param now what an object is at the moment; undefined: it is not there */
export function startSnmpRecording(
  recorded: Recorded,
  now: (oid: string) => SnmpValue | undefined = (oid) => recorded.get(oid),
  options?: SnmpOptions,
): Promise<SimulatedDevice> {
  const write = { check: () => true, commit: () => undefined };
  return startSnmpAgent(
    {
      model: 'recording',
      objectId: '0.0',
      board: new OutletBoard([]),
      faults: new Faults([]),
      mib: new SnmpMib([...recorded.keys()].map((oid) => ({ oid, read: () => now(oid), write }))),
      restart: () => undefined,
      stop: () => undefined,
    },
    options,
  );
}

const types: Readonly<Record<string, (value: string) => SnmpValue>> = {
  2: (value) => ({ type: 'integer', value: Number(value) }),
  4: (value) => ({ type: 'octets', value: Buffer.from(value).toString('latin1') }),
  '4x': (value) => ({ type: 'octets', value: Buffer.from(value, 'hex').toString('latin1') }),
  5: () => ({ type: 'null' }),
  6: (value) => ({ type: 'oid', value }),
  65: (value) => ({ type: 'counter', value: Number(value) }),
  66: (value) => ({ type: 'gauge', value: Number(value) }),
  67: (value) => ({ type: 'ticks', value: Number(value) }),
};

/** A recording of snmpsim: `OID|TAG|VALUE` in each line; `x` behind a tag is hexadecimal. Addresses and 64-bit counters are left out. */
export function readSnmprec(text: string): Map<string, SnmpValue> {
  const lines = text.split('\n').map((line) => line.split('|'));
  return new Map(
    lines.flatMap(([oid = '', tag = '', ...rest]) => {
      const value = types[tag]?.(rest.join('|'));
      return value === undefined ? [] : [[oid, value] as const];
    }),
  );
}
