/**
 * Recognises SNMP traps and informs that mean "the configuration changed" (RFC 1157, RFC 3416, RFC 3412, RFC 3584).
 *
 * Only the kind of notice is used, so neither community nor signature is checked. An encrypted one (version 3, authPriv) cannot be read.
 *
 * Cisco and Arista report every copy of a configuration, including `show running-config`, which is a copy from "running" to
 * "commandSource": reading the device would trigger the next reading. Only copies to "running" or "startup" count.
 *
 * Sources: CISCO-CONFIG-MAN-MIB (ciscoConfigManEvent, ccmCLIRunningConfigChanged, ccmHistoryEventConfigDestination),
 * JUNIPER-CFGMGMT-MIB (jnxCmCfgChange), ARISTA-CONFIG-MAN-MIB (aristaConfigManEvent), ENTITY-MIB of RFC 6933
 * (entConfigChange), HP-ENTITY-MIB (hpEntConfigChange). Fastpath's MIB has no such trap; its switches report by syslog.
 */
import {
  contentOf,
  type Element,
  elements,
  integerOf,
  oidOf,
  tags,
} from '@skolo/equipment/transports/ber';

interface Trap {
  /** The kind of notice; version 1 is named as in SNMPv2 (RFC 3584, section 3.1). */
  oid: string;
  variables: { oid: string; value: Element }[];
  /** The answer to an inform. */
  answer?: Buffer;
}

interface Meaning {
  name: string;
  /** The column with the copy's destination. */
  destination?: string;
}

const meanings: ReadonlyMap<string, Meaning> = new Map<string, Meaning>([
  [
    '1.3.6.1.4.1.9.9.43.2.0.1',
    { name: 'ciscoConfigManEvent', destination: '1.3.6.1.4.1.9.9.43.1.1.6.1.5' },
  ],
  ['1.3.6.1.4.1.9.9.43.2.0.2', { name: 'ccmCLIRunningConfigChanged' }],
  ['1.3.6.1.4.1.2636.4.5.0.1', { name: 'jnxCmCfgChange' }],
  [
    '1.3.6.1.4.1.30065.3.9.3.0.1',
    { name: 'aristaConfigManEvent', destination: '1.3.6.1.4.1.30065.3.9.1.1.2.1.5' },
  ],
  ['1.3.6.1.2.1.47.2.0.1', { name: 'entConfigChange' }],
  ['1.3.6.1.4.1.11.2.14.9.2.0.1', { name: 'hpEntConfigChange' }],
]);
/** HistoryEventMedium: running, startup; the same numbers in both MIBs. */
const ownMedia: ReadonlySet<number> = new Set([3, 4]);

/** The notice's name, if it reports a configuration change of its sender. */
export function changeInTrap({ oid, variables }: Trap): string | undefined {
  const meaning = meanings.get(oid);
  if (meaning?.destination === undefined) return meaning?.name;
  const prefix = `${meaning.destination}.`;
  const destination = variables.find((variable) => variable.oid.startsWith(prefix))?.value;
  if (destination?.tag !== tags.integer) return meaning.name;
  return ownMedia.has(integerOf(destination)) ? meaning.name : undefined;
}

const pdus = { trap1: 0xa4, inform: 0xa6, trap2: 0xa7, response: 0xa2 };
const snmpTrapOid = '1.3.6.1.6.3.1.1.4.1.0';

/**
 * Undefined: it is encrypted.
 *
 * @throws RangeError It is neither a trap nor an inform.
 */
export function readTrap(datagram: Buffer): Trap | undefined {
  const message = elements(contentOf(elements(datagram)[0], tags.sequence));
  const [version] = message;
  if (integerOf(version) !== 3) return readPdu(datagram, message[2]);
  const [, , , scoped] = message;
  if (scoped?.tag === tags.text) return undefined;
  const [, , pdu] = elements(contentOf(scoped, tags.sequence));
  const { answer: _, ...trap } = readPdu(datagram, pdu);
  // Only a receiver that shares a key with the sender can answer an inform of version 3.
  return trap;
}

function readPdu(datagram: Buffer, pdu: Element | undefined): Trap {
  if (pdu?.tag === pdus.trap1) return readFirstVersion(elements(pdu.content));
  if (pdu?.tag !== pdus.trap2 && pdu?.tag !== pdus.inform) {
    throw new RangeError('neither trap nor inform');
  }
  const variables = variablesOf(elements(pdu.content)[3]);
  const kind = variables.find(({ oid }) => oid === snmpTrapOid);
  const oid = oidOf(kind?.value);
  if (pdu.tag === pdus.trap2) return { oid, variables };
  // The same content as a response (RFC 3416, section 4.2.7).
  const answer = Buffer.from(datagram);
  answer[pdu.start - datagram.byteOffset] = pdus.response;
  return { oid, variables, answer };
}

/** RFC 3584, section 3.1. */
function readFirstVersion(fields: Element[]): Trap {
  const [enterprise, , generic, specific, , variables] = fields;
  const kind = integerOf(generic);
  const oid =
    kind === 6 ? `${oidOf(enterprise)}.0.${integerOf(specific)}` : `1.3.6.1.6.3.1.1.5.${kind + 1}`;
  return { oid, variables: variablesOf(variables) };
}

function variablesOf(list: Element | undefined): Trap['variables'] {
  return elements(contentOf(list, tags.sequence)).map((each) => {
    const [name, value] = elements(contentOf(each, tags.sequence));
    if (value === undefined) throw new RangeError('a variable has no value');
    return { oid: oidOf(name), value };
  });
}
