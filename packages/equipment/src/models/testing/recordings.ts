/** Outputs of real devices, with the rows that other people's parsers find in them. They are not part of this repository. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { macOf } from '../families/mac-address.ts';

const folder = join(import.meta.dirname, '../../../../../../shared/recordings');
const outputs = join(folder, 'ntc-templates');
const sessions = join(folder, 'oxidized');

const hasRecordings = existsSync(folder);
export const noRecordings = hasRecordings ? undefined : 'no recordings of real devices here';

const Rows = z.object({
  parsed_sample: z.array(z.record(z.string(), z.union([z.string(), z.array(z.string())]))),
});

export interface RecordedOutput {
  /** `cisco_ios/show_arp/cisco_ios_show_arp`. */
  name: string;
  text: string;
  /** A list is joined with commas. */
  rows: Record<string, string>[];
}

/** The outputs of a command on a platform. */
export function recordedOutputs(platform: string, command: string): RecordedOutput[] {
  const place = join(outputs, platform, command.replaceAll(' ', '_'));
  if (!existsSync(place)) return [];
  const files = readdirSync(place).filter((file) => file.endsWith('.raw'));
  return files.sort().map((file) => {
    const name = file.slice(0, -'.raw'.length);
    const read = (end: string) => readFileSync(join(place, `${name}${end}`), 'utf8');
    const { parsed_sample } = Rows.parse(parse(read('.yml')));
    const rows = parsed_sample.map((row) =>
      Object.fromEntries(Object.entries(row).map(([key, value]) => [key, String(value)])),
    );
    return { name: `${platform}/${name}`, text: read('.raw'), rows };
  });
}

const NapalmRows = z.array(
  z.object({
    mac: z.string(),
    interface: z.string(),
    ip: z.string().optional(),
    age: z.number().optional(),
  }),
);

/** The outputs of a table in napalm's tests. @param test such as `ios/test_get_arp_table` */
export function napalmOutputs(test: string): RecordedOutput[] {
  const place = join(folder, 'napalm', test);
  if (!existsSync(place)) return [];
  const files = readdirSync(place).filter((file) => file.endsWith('.txt'));
  return files.sort().map((file) => {
    const expected = join(place, file.replace(/__show.*/, '__expected.json'));
    const found = NapalmRows.parse(JSON.parse(readFileSync(expected, 'utf8')));
    const rows = found.map(({ mac, ip = '', age = '', ...row }) => ({
      interface: row.interface.replace('Port-channel', 'Po').replace('Vlan', 'Vl'),
      mac_address: mac,
      ip_address: ip,
      // Where the device prints no age, the address is its own.
      age: age === -1 ? '-' : String(age),
    }));
    return { name: `napalm/${test}/${file}`, text: readFileSync(join(place, file), 'utf8'), rows };
  });
}

/**
 * The outputs of commands in genie's tests, and the addresses that its parser finds in them.
 *
 * @param place such as `ios/ShowArp`
 */
export function genieOutputs(place: string): { name: string; text: string; macs: string[] }[] {
  const path = join(folder, 'genie', place);
  if (!existsSync(path)) return [];
  const files = readdirSync(path).filter((file) => file.endsWith('.txt'));
  return files.sort().map((file) => {
    const read = (end: string) => readFileSync(join(path, file.replace(/\.txt$/, end)), 'utf8');
    const lines = read('.txt').replaceAll('\t', ' ').split('\n');
    const from = 1 + lines.findLastIndex((line) => /^\W*(?:\S+[#>] ?)?sh(?:ow)? /.test(line));
    const rest = lines.slice(from).filter((line) => !/^\s*\S+[#>]\s*$/.test(line));
    const indents = rest.filter((line) => line.trim() !== '').map((line) => line.search(/\S/));
    const text = rest.map((line) => line.slice(Math.min(...indents))).join('\n');
    const found = read('.expected.py').match(
      /(?:[\da-f]{4}\.){2}[\da-f]{4}|(?:[\da-f]{2}:){5}[\da-f]{2}/gi,
    );
    return { name: `genie/${place}/${file}`, text, macs: [...new Set(found?.map(macOf))] };
  });
}

/** JSON of devices. @param collection such as `shelly` */
export function recordedPages(collection: string): { name: string; page: unknown }[] {
  const place = join(folder, collection);
  const files = existsSync(place) ? readdirSync(place) : [];
  return files
    .filter((file) => file.endsWith('.json'))
    .map((file) => ({
      name: file.slice(0, -'.json'.length),
      page: JSON.parse(readFileSync(join(place, file), 'utf8')),
    }));
}

const Commands = z.record(
  z.string(),
  z
    .string()
    .nullable()
    .transform((text) => text ?? ''),
);
const Session = z.object({
  init_prompt: z.string().nullable(),
  commands: z.union([Commands, z.array(Commands)]),
});
const Lines = z.object({
  pass: z.array(z.string()).default([]),
  fail: z.array(z.string()).default([]),
  /** The same with the sequences that a terminal receives. */
  pass_with_expect: z.array(z.string()).default([]),
});

interface RecordedSession {
  /** Ends with the prompt, if there is one. */
  greeting: string;
  /** By command; with echo and prompt, if there is one. */
  answers: ReadonlyMap<string, string>;
}

/** Escape sequences are written out in these files. */
function unescaped(text: string): string {
  const named: Record<string, string> = { r: '\r', e: '\x1b', t: '\t', a: '\x07', b: '\b' };
  return text.replace(/\\(?:x([\da-f]{2})|(.))/gi, (_all, code?: string, letter = '') =>
    code === undefined ? (named[letter] ?? letter) : String.fromCharCode(Number.parseInt(code, 16)),
  );
}

/** @param name such as `ios__asr920_16.8.1b` */
export function recordedSession(name: string): RecordedSession {
  const file = join(sessions, `${name}__simulation.yaml`);
  const { init_prompt, commands } = Session.parse(parse(readFileSync(file, 'utf8')));
  const all = [commands].flat().flatMap((each) => Object.entries(each));
  return {
    greeting: unescaped(init_prompt ?? ''),
    answers: new Map(all.map(([command, text]) => [command.trim(), unescaped(text)])),
  };
}

/** The same as a simulator plays it, with each page of an answer. @param isExec whether each command has a channel of its own */
export function recordedTalks(name: string, isExec = false) {
  const file = ['__simulation', '__custom_simulation'].map((end) =>
    join(sessions, `${name}${end}.yaml`),
  );
  const { init_prompt, commands } = Session.parse(
    parse(readFileSync(file.find((each) => existsSync(each)) ?? '', 'utf8')),
  );
  const raw = (text: string) => unescaped(text).replace(/\r?\n/g, '\r\n');
  const all = [commands].flat().flatMap((each) => Object.entries(each));
  if (isExec) {
    return all.map(([command, text]) => {
      return {
        kind: 'exec',
        sent: command.trimEnd(),
        received: unescaped(text),
        status: 0,
      } as const;
    });
  }
  const said = all.map(([typed, text]) => {
    const what = /[\r\n]$/.test(typed) ? { sent: typed.trim() } : { key: typed };
    return { ...what, received: raw(text) };
  });
  return [{ kind: 'shell' as const, said: [{ received: raw(init_prompt ?? '') }, ...said] }];
}

/** Texts that must or must not be in a result, or match; none if there is no such file. */
export function recordedLines(name: string): z.infer<typeof Lines> {
  const file = join(sessions, `${name}.yaml`);
  return Lines.parse(existsSync(file) ? parse(readFileSync(file, 'utf8')) : {});
}

/** Recorded sessions with lines of that kind. @param kind such as `secret` */
export function recordedNames(kind: string): string[] {
  const end = `__${kind}.yaml`;
  const files = hasRecordings ? readdirSync(sessions) : [];
  return files.filter((file) => file.endsWith(end)).map((file) => file.slice(0, -end.length));
}

/** All outputs of devices in a collection. @param collection such as `napalm` */
export function recordedTexts(collection: string): string[] {
  const place = join(folder, collection);
  const files = hasRecordings ? readdirSync(place, { recursive: true, encoding: 'utf8' }) : [];
  return files
    .filter((file) => file.endsWith('.txt'))
    .map((file) => readFileSync(join(place, file), 'latin1'));
}
