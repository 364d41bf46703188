/** A model's tables for `pass_persist` of snmpd.conf(5): questions and answers are lines of text. */

import type { CommandCall } from '../answered-command.ts';
import type { Received } from '../device.ts';
import type { SnmpModel } from './agent.ts';
import { errors, type SnmpValue } from './pdu.ts';

/** Answers until snmpd hangs up. The call's argument is the part of the tree that it asks for. */
export async function answerValues(
  { mib }: SnmpModel,
  received: Received[],
  { args: [subtree = ''], lines, write }: CommandCall,
): Promise<void> {
  const iterator = lines[Symbol.asyncIterator]();
  const line = async () => (await iterator.next()).value ?? '';
  for (;;) {
    const { done, value: verb } = await iterator.next();
    if (done) return;
    if (verb === 'PING') write('PONG\n');
    // A value to set is followed by an empty line.
    if (verb === 'PING' || verb === '') continue;
    const oid = (await line()).replace(/^\./, '');
    if (verb === 'get') {
      write(written(oid, mib.read(oid)));
    } else if (verb === 'getnext') {
      const next = mib.next(oid);
      write(next?.oid.startsWith(`${subtree}.`) ? written(next.oid, next.value) : 'NONE\n');
    } else if (verb === 'set') {
      const value = parsed(await line());
      received.push({ at: Date.now(), text: `set ${oid}=${'value' in value ? value.value : ''}` });
      const status = mib.check(oid, value);
      if (status === errors.noError) mib.commit(oid, value);
      write(`${rejections.get(status) ?? 'DONE'}\n`);
    }
  }
}

const rejections = new Map<number, string>([
  [errors.noCreation, 'not-writable'],
  [errors.notWritable, 'not-writable'],
  [errors.wrongType, 'wrong-type'],
  [errors.wrongValue, 'wrong-value'],
]);

/** Where snmpd's word is not ours. */
const typeNames = new Map<string, string>([
  ['octets', 'string'],
  ['oid', 'objectid'],
  ['ticks', 'timeticks'],
]);

function written(oid: string, value: SnmpValue): string {
  if (!('value' in value)) return 'NONE\n';
  if (value.type === 'octets' && /[^\x20-\x7e]/.test(value.value)) {
    return `.${oid}\noctet\n${Buffer.from(value.value, 'latin1').toString('hex').replace(/../g, '$& ')}\n`;
  }
  return `.${oid}\n${typeNames.get(value.type) ?? value.type}\n${value.value}\n`;
}

function parsed(text: string): SnmpValue {
  const [, number, words] = /^(?:integer (-?\d+)|string "(.*)")$/.exec(text) ?? [];
  if (words !== undefined) return { type: 'octets', value: words };
  return number === undefined ? { type: 'null' } : { type: 'integer', value: Number(number) };
}
