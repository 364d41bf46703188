/** What an agent can be asked for and told: objects in the order of their numbers, whoever serves them (our agent, or Debian's snmpd). */
import { type ErrorStatus, errors, type SnmpValue } from './pdu.ts';

/** One instance of an object. */
export interface SnmpObject {
  /** With its index: `….4.7`, or `….0`. */
  oid: string;
  /** Undefined: it is not there (now). */
  read(): SnmpValue | undefined;
  /** Absent: it is read-only. Values are of the type that it is read as. `check` comes first, for all variables of a request (RFC 3416, 4.2.5). */
  write?: { check(value: number | string): boolean; commit(value: number | string): void };
}

export class SnmpMib {
  private readonly byOid: ReadonlyMap<string, SnmpObject>;
  private readonly columns: ReadonlySet<string>;
  private readonly inOrder: readonly { parts: readonly number[]; object: SnmpObject }[];

  constructor(objects: readonly SnmpObject[]) {
    this.byOid = new Map(objects.map((object) => [object.oid, object]));
    this.columns = new Set(objects.map(({ oid }) => columnOf(oid)));
    this.inOrder = objects
      .map((object) => ({ parts: partsOf(object.oid), object }))
      .sort((one, other) => compare(one.parts, other.parts));
  }

  read(oid: string): SnmpValue {
    const value = this.byOid.get(oid)?.read();
    if (value) return value;
    return { type: this.columns.has(columnOf(oid)) ? 'noSuchInstance' : 'noSuchObject' };
  }

  /** The first one behind `oid`. */
  next(oid: string): { oid: string; value: SnmpValue } | undefined {
    const from = partsOf(oid);
    for (const { parts, object } of this.inOrder) {
      if (compare(parts, from) <= 0) continue;
      const value = object.read();
      if (value) return { oid: object.oid, value };
    }
    return undefined;
  }

  /** Whether it could be written; nothing is changed. */
  check(oid: string, value: SnmpValue): ErrorStatus {
    const found = this.byOid.get(oid);
    const now = found?.read();
    if (!found || !now) return errors.noCreation;
    if (!found.write) return errors.notWritable;
    if (!('value' in value) || value.type !== now.type) return errors.wrongType;
    return found.write.check(value.value) ? errors.noError : errors.wrongValue;
  }

  /** Writes what {@link check} has let through. */
  commit(oid: string, value: SnmpValue): void {
    if ('value' in value) this.byOid.get(oid)?.write?.commit(value.value);
  }
}

export function integer(value: number): SnmpValue {
  return { type: 'integer', value };
}

export function text(value: string): SnmpValue {
  return { type: 'octets', value };
}

export function integerOrText(value: number | string): SnmpValue {
  return typeof value === 'number' ? integer(value) : text(value);
}

/** `system` of SNMPv2-MIB (RFC 3418). */
export function systemGroup(about: {
  descr: string;
  objectId: string;
  name: string;
}): SnmpObject[] {
  const started = performance.now();
  const centiseconds = () => Math.floor((performance.now() - started) / 10);
  return [
    { oid: '1.3.6.1.2.1.1.1.0', read: () => text(about.descr) },
    { oid: '1.3.6.1.2.1.1.2.0', read: () => ({ type: 'oid', value: about.objectId }) },
    { oid: '1.3.6.1.2.1.1.3.0', read: () => ({ type: 'ticks', value: centiseconds() }) },
    { oid: '1.3.6.1.2.1.1.5.0', read: () => text(about.name) },
  ];
}

function columnOf(oid: string): string {
  return oid.slice(0, oid.lastIndexOf('.'));
}

function partsOf(oid: string): number[] {
  return oid.split('.').map(Number);
}

function compare(one: readonly number[], other: readonly number[]): number {
  for (const [index, part] of one.entries()) {
    const against = other[index];
    if (against === undefined) return 1;
    if (part !== against) return part - against;
  }
  return one.length - other.length;
}
