/**
 * Files with what a device answered, `recording-MODEL-FIRMWARE.yaml`: people can read them, and a simulator plays them. They contain no
 * secrets, addresses, names or serial numbers, see redaction.ts. Controls and bytes that are not ASCII are escaped.
 */
import { z } from 'zod';
import { models } from '../models/index.ts';
import { Firmware, Hardware } from '../models/proofs/evidence-file.ts';

const Said = z.strictObject({
  /** A line, without its end; `<secret>` and `<user>` are those of the login. Absent: nothing, at the start. */
  sent: z.string().exactOptional(),
  /** Instead of a line: what was typed without a return, for example at a pager. */
  key: z.string().exactOptional(),
  received: z.string(),
});

export const RecordedTalk = z.discriminatedUnion('kind', [
  /** A command line. Its lines end with CR and LF, unless `\\n` is written. */
  z.strictObject({ kind: z.literal('shell'), said: z.array(Said) }),
  /** One command in a channel of its own. */
  z.strictObject({
    kind: z.literal('exec'),
    sent: z.string(),
    received: z.string(),
    status: z.int(),
  }),
  z.strictObject({
    kind: z.literal('http'),
    https: z.literal(true).exactOptional(),
    /** Method and path, then its body, if there is one. */
    sent: z.string(),
    status: z.int(),
    headers: z.record(z.string(), z.string()),
    received: z.string(),
  }),
  /** All variables that it answered with: `OID|TAG|VALUE`, as snmpsim writes them. */
  z.strictObject({ kind: z.literal('snmp'), received: z.string() }),
]);
export type RecordedTalk = z.output<typeof RecordedTalk>;

const Reading = z.strictObject({
  outlets: z.record(z.string(), z.string()).exactOptional(),
  configuration: z.literal('complete').exactOptional(),
  /** `MAC PORT` and `PORT up`, sorted. */
  hosts: z.array(z.string()).exactOptional(),
  links: z.array(z.string()).exactOptional(),
});

export const Recording = z.strictObject({
  schema: z.literal(1),
  model: z.enum([...models.keys()]),
  transport: z.enum([...new Set([...models.values()].flatMap(({ transports }) => transports))]),
  hardware: Hardware.exactOptional(),
  firmware: Firmware,
  skolo: z.string().regex(/^(?:unknown|\d{1,4}\.\d{1,4}\.\d{1,4})$/),
  day: z.iso.date(),
  /** Keys of the model in rack.yaml. */
  options: z.record(z.string(), z.unknown()),
  /** What skolo read from it, and reads again when it is played. */
  reading: Reading,
  talks: z.array(RecordedTalk).min(1).max(2000),
});
export type Recording = z.output<typeof Recording>;
export type Reading = z.output<typeof Reading>;

/** @param number of several with the same model and firmware */
export function recordingFile(
  { model, firmware }: Pick<Recording, 'model' | 'firmware'>,
  number = 1,
): string {
  const which = number === 1 ? '' : `-${number}`;
  return `recording-${model}-${firmware.replaceAll(/[^\w.+-]+/g, '_')}${which}.yaml`;
}

const named: Readonly<Record<string, string>> = {
  '\r': 'r',
  '\n': 'n',
  '\t': 't',
  '\b': 'b',
  '\x07': 'a',
  '\x1b': 'e',
  '\\': '\\',
};

/** A text as it is written in the file. @param lineEnd what a new line in the file stands for */
export function written(text: string, lineEnd: '\r\n' | '\n'): string {
  const escaped = (all: string) =>
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must be visible.
    all.replaceAll(/[\x00-\x1f\\\x7f-\xff]/g, (each) => {
      const name = named[each];
      return `\\${name ?? `x${each.charCodeAt(0).toString(16).padStart(2, '0')}`}`;
    });
  // A blank at the end of a line cannot be seen, and YAML drops it where a text has only blanks.
  const line = (all: string) => escaped(all).replace(/ $/, text.includes('\n') ? '\\x20' : ' ');
  return text.split(lineEnd).map(line).join('\n');
}

/** The opposite. */
export function unwritten(text: string, lineEnd: '\r\n' | '\n'): string {
  const plain = new Map(Object.entries(named).map(([each, name]) => [name, each]));
  return text
    .replaceAll('\n', lineEnd)
    .replaceAll(/\\(?:x([\da-f]{2})|(.))/g, (_all, code?: string, name = '') =>
      code === undefined
        ? (plain.get(name) ?? name)
        : String.fromCharCode(Number.parseInt(code, 16)),
    );
}
