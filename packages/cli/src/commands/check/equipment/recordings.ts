/** Writes what equipment answered, without secrets, addresses, names and serial numbers, for the directory `docs/proofs`. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { closing, errorText, isObject, tempFolder } from '@skolo/base';
import { writeFileAtomic } from '@skolo/base/durable/atomic-file';
import { type Credentials, secretsOf } from '@skolo/base/secrets';
import { models } from '@skolo/equipment/models';
import type { SecretRule } from '@skolo/equipment/models/backup';
import { loadDrivers } from '@skolo/equipment/models/load';
import type { OutletReading } from '@skolo/equipment/models/outlets';
import { Firmware, Hardware } from '@skolo/equipment/models/proofs';
import {
  type IsNeeded,
  neededPlaces,
  type Reading,
  type RecordedTalk,
  Recording,
  Redaction,
  recordingFile,
  replayOf,
} from '@skolo/equipment/recordings';
import { HostKeys, SessionPool } from '@skolo/equipment/transports';
import type { Equipment, Rack } from '@skolo/rack';
import { stringify } from 'yaml';
import type { EquipmentLook } from './look-at-equipment.ts';
import { type LookDeps, readersOf, valuesOf } from './readers.ts';

/** A file for each device that answered. Returns a line about each: its path, or why there is none. */
export async function writeRecordings(
  folder: string,
  deps: Pick<LookDeps, 'rack' | 'readRef' | 'signal'>,
  looks: readonly EquipmentLook[],
  made: Pick<Recording, 'skolo' | 'day'>,
): Promise<string[]> {
  const { rack } = deps;
  await mkdir(folder, { recursive: true });
  const recorded = looks.filter(({ recorder }) => recorder !== undefined);
  const redaction = new Redaction({
    secrets: await secretsIn(deps),
    names: namesIn(rack),
    outlets: recorded.flatMap(({ outlets: [states = {}] }) => Object.keys(states)),
    harmless: harmlessIn(recorded),
  });
  await using temp = await tempFolder('skolo-recordings-');
  const readAgain = reader(deps, temp.path, await loadDrivers());
  // Of all, because one names what another one contains.
  for (const look of recorded) teach(redaction, look);
  const seen = new Map<string, number>();
  const lines: string[] = [];
  for (const look of recorded) {
    const device = rack.equipment.get(look.equipment);
    const recording = device && recordingOf(redaction, device, look, readAgain);
    const about = await recording?.catch((error: unknown) => {
      if (!deps.signal.aborted) throw error;
      return 'interrupted';
    });
    if (about === undefined || typeof about === 'string') {
      lines.push(`${look.equipment}: not recorded: ${about}`);
      continue;
    }
    const name = recordingFile(about);
    const number = (seen.get(name) ?? 0) + 1;
    seen.set(name, number);
    const path = join(folder, recordingFile(about, number));
    const text = fileOf({ ...about, ...made });
    const leak = redaction.leak(textsIn(about));
    if (leak === undefined) await writeFileAtomic(path, text);
    lines.push(leak === undefined ? path : `${look.equipment}: not recorded: ${why(leak)}`);
  }
  return lines;
}

/** Each text by its place. Keys of the file are not those of a rack. */
function textsIn(value: unknown, place: readonly string[] = []): [place: string, text: string][] {
  if (typeof value === 'string') return [[place.join('/'), value]];
  const inner = Array.isArray(value) || isObject(value) ? Object.entries(value) : [];
  return inner.flatMap(([key, each]) => textsIn(each, [...place, key]));
}

function why(leak: string): string {
  return `a known secret or name would still be in the file (${leak}); report this as an error of skolo`;
}

function teach(redaction: Redaction, { recorder, settings = {} }: EquipmentLook): void {
  recorder?.teach(redaction);
  for (const { name } of Object.values(settings)) redaction.learnWord('name', name ?? '');
}

/** Words of the models, which say nothing about a rack. */
function harmlessIn(looks: readonly EquipmentLook[]): RegExp {
  const words = looks.flatMap(({ model }) => {
    const { label = '', reported } = models.get(model) ?? {};
    return `${model} ${label} ${reported?.model.source ?? ''}`.match(/[\w-]{3,}/g) ?? [];
  });
  return new RegExp(`^(?:${words.join('|')})$`, 'i');
}

const head = `# What equipment answered skolo. Secrets, addresses, names and serial numbers are replaced, but only by rules:
# read this file before you pass it on. Controls and bytes that are not ASCII are written as \\e, \\r or \\xe4.
`;

function fileOf(recording: Recording): string {
  const checked = Recording.parse(recording);
  return `${head}${stringify(checked, { lineWidth: 0, blockQuote: 'literal' })}`;
}

/** @returns a text: why there is none */
async function recordingOf(
  redaction: Redaction,
  device: Equipment,
  look: EquipmentLook,
  readAgain: ReturnType<typeof reader>,
): Promise<Omit<Recording, 'skolo' | 'day'> | string> {
  const { model, transport, recorder } = look;
  if (recorder === undefined || recorder.isCut) return 'it returned more than 16 MiB';
  const plain = (text: string) => redaction.string(text);
  const rules = await rulesOf(device);
  const redacted = (isNeeded: IsNeeded): Played => {
    const options = redaction.options(device.options, isNeeded);
    const talks = recorder.redacted(redaction, rules, isNeeded);
    return { options: isObject(options) ? options : {}, talks };
  };
  const states = Object.entries(look.outlets[0] ?? {}).map(([name, { state }]) => [
    plain(name),
    state,
  ]);
  const names = states.map(([name = '']) => name);
  const again = ({ options, talks }: Played) => readAgain({ ...device, options }, names, talks);
  const found = await reduced(redacted, again, states);
  if (typeof found === 'string') return found;
  const { options, talks } = found;
  if (talks.length === 0) return 'it did not respond';
  const hardware = Hardware.safeParse(look.hardware && plain(look.hardware)).data;
  return {
    schema: 1,
    model,
    transport,
    ...(hardware && { hardware }),
    firmware: Firmware.safeParse(look.firmware).data ?? 'unknown',
    options,
    reading: readingOf(
      look,
      plain,
      transport === 'snmp' ? (name) => redaction.interfaceName(name) : plain,
    ),
    talks,
  };
}

/** What a simulator plays, and the keys of rack.yaml with which it is read. */
interface Played {
  options: Record<string, unknown>;
  talks: RecordedTalk[];
}

/**
 * A recording in which only those values of HTTP stay without which skolo reads something else from it than from the device.
 *
 * @param states as they were read from the device
 * @returns a text: why there is none
 */
async function reduced(
  redacted: (isNeeded: IsNeeded) => Played,
  read: (played: Played) => Promise<Again>,
  states: readonly (readonly string[])[],
): Promise<Played | string> {
  const places = new Set<string>();
  const all = redacted((place) => places.add(place).size > 0);
  if (!all.talks.some(({ kind }) => kind === 'http')) return redacted(() => false);
  const whole = await read(all);
  if (states.length > 0 && !isDeepStrictEqual(whole[0], states))
    return 'without its secrets and names, skolo reads something else from it';
  const keeping = (kept: readonly string[]) => {
    const among = new Set(kept);
    return redacted((place) => among.has(place));
  };
  const needed = await neededPlaces(places, async (kept) =>
    isDeepStrictEqual(await read(keeping(kept)), whole),
  );
  return needed === undefined
    ? `skolo reads too many of its ${places.size} values to find out which ones; record fewer outlets`
    : keeping(needed);
}

/** Outlets, whether it has settings, and outlets once more; errors by their texts. */
type Again = readonly (string[][] | boolean | string)[];

/** Returns what reads outlets and settings from the answers of a recording. @throws the signal's reason */
function reader(
  { rack, readRef, signal }: Pick<LookDeps, 'rack' | 'readRef' | 'signal'>,
  scratch: string,
  drivers: LookDeps['drivers'],
) {
  const hostKeys = new HostKeys(join(scratch, 'host-keys.json'));
  return async (
    device: Equipment,
    names: readonly string[],
    talks: readonly RecordedTalk[],
  ): Promise<Again> => {
    signal.throwIfAborted();
    await using sessions = closing(new SessionPool());
    const look = {
      rack,
      readRef,
      hostKeys,
      scratch,
      drivers,
      backups: new Map(),
      signal,
      sessions,
      pauseMs: 0,
      timeoutMs: 0,
      replay: replayOf(talks),
    };
    const who = { chosen: new Map<string, Credentials>(), sessions };
    const { outlets, settings } = await readersOf(device, look, () => undefined, who);
    const states = async () => {
      const readings = (await outlets?.(names, signal)) ?? new Map<string, OutletReading>();
      return [...readings].map(([name, { state }]) => [name, state]);
    };
    const isKnown = async () => (await settings?.(names, signal)) !== undefined;
    return [
      await states().catch(errorText),
      await isKnown().catch(errorText),
      await states().catch(errorText),
    ];
  };
}

/** What skolo read. @param plain replaces names and addresses @param port of an interface */
export function readingOf(
  { outlets: [states = {}], configuration, hosts }: EquipmentLook,
  plain: (text: string) => string,
  port = plain,
): Reading {
  const outlets = Object.entries(states).map(([name, { state }]) => [plain(name), state] as const);
  return {
    ...(outlets.length > 0 && { outlets: Object.fromEntries(outlets) }),
    ...(configuration && { configuration: 'complete' }),
    ...(hosts && {
      hosts: hosts.hosts
        .map(
          ({ mac, ...at }) => `${plain(mac)} ${at.port ? port(at.port) : plain(`${at.address}`)}`,
        )
        .sort(),
      links: hosts.ports.map(({ name, up }) => `${port(name)} ${up ? 'up' : 'down'}`).sort(),
    }),
  };
}

/** Of its configuration. */
async function rulesOf(device: Equipment): Promise<readonly SecretRule[]> {
  const backup = models.get(device.model)?.backup;
  if (backup === undefined || 'no' in backup) return [];
  return (await backup.load()).backup(device).secrets;
}

/** Of all logins: equipment may contain those of others. A secret that cannot be read was not used. */
async function secretsIn({ rack, readRef }: Pick<LookDeps, 'rack' | 'readRef'>): Promise<string[]> {
  const all = [...rack.logins.keys()].map(async (login) => {
    const values = await valuesOf({ rack, readRef }, login).catch(() => []);
    return values.flatMap(secretsOf);
  });
  return (await Promise.all(all)).flat();
}

const fields =
  /^(?:name|fullName|aliases?|email|emails|project|projectId|domain|serial|username|user|shelf|bucket|topic|host)$/;

/** Of machines, equipment, people, projects and domains. */
function namesIn({
  name,
  network,
  jumphost,
  identities,
  access,
  logins,
  equipment,
  machines,
  services,
}: Rack): string[] {
  const found = [name, network.domain];
  const visit = (value: unknown, key: string) => {
    if (typeof value === 'string') {
      if (fields.test(key) || value.includes('@')) found.push(value);
    } else if (Array.isArray(value)) for (const each of value) visit(each, key);
    else if (isObject(value)) for (const [inner, each] of Object.entries(value)) visit(each, inner);
  };
  visit([jumphost, access, services], '');
  const named = [...machines.values(), ...equipment.values()];
  visit(named, '');
  visit(
    [...identities.values()].map(({ name: _, ...identity }) => identity),
    '',
  );
  visit(
    [...logins.values()].map(({ username, snmp }) => ({ username, user: snmp?.user })),
    '',
  );
  return found;
}
