/** Checks the files in docs/proofs: where they are, what they contain, and whether one is a copy of another. */
import { parseJson } from '@skolo/base';
import { parse } from 'yaml';
import { z } from 'zod';
import { isSwitched, Proof, proofFile } from '../src/models/proofs/evidence-file.ts';
import type { Sighting } from '../src/models/proofs/levels.ts';
import { Recording, recordingFile } from '../src/recordings/recording.ts';
import { unreplaced } from '../src/recordings/redaction.ts';

interface Place {
  /** `OWNER/RACK/FILE`. */
  path: string;
  owner: string;
  rack: string;
}

interface Contribution extends Proof, Place {}
interface Recorded extends Recording, Place {}

export interface Checked {
  contributions: Contribution[];
  recordings: Recorded[];
  /** Each begins with the path of a file. */
  errors: string[];
}

/** `OWNER/rack-NUMBER/FILE`. An owner is an account on GitHub. */
const place = /^(?<owner>[a-z\d](?:-?[a-z\d]){0,38})\/(?<rack>rack-[1-9]\d{0,2})\/(?<file>[^/]+)$/;
const mostCharacters = 256 * 1024;
const mostRecorded = 4 * 1024 * 1024;
/** `skolo check equipment` did not exist before. */
const firstDay = '2026-11-01';

/**
 * @param files their texts by path in docs/proofs
 * @param today such as 2026-11-25
 */
export function checkProofs(files: ReadonlyMap<string, string>, today: string): Checked {
  const checked: Checked = { contributions: [], recordings: [], errors: [] };
  /** Files by each device's measurements: two readings never take equal times. */
  const measured = new Map<string, string>();
  for (const [path, text] of [...files].sort(([a], [b]) => (a < b ? -1 : 1))) {
    if (/\/recording-[^/]*$/.test(path)) {
      const found = recordedIn(path, text, today);
      if ('errors' in found) checked.errors.push(...found.errors.map((each) => `${path}: ${each}`));
      else checked.recordings.push(found);
      continue;
    }
    const found = contributionOf(path, text);
    const errors = 'errors' in found ? found.errors : doubts(found, today, measured);
    checked.errors.push(...errors.map((error) => `${path}: ${error}`));
    if (!('errors' in found) && errors.length === 0) checked.contributions.push(found);
  }
  return checked;
}

function contributionOf(path: string, text: string): Contribution | { errors: string[] } {
  const { owner, rack, file } = place.exec(path)?.groups ?? {};
  if (owner === undefined || rack === undefined) {
    return { errors: ['is not at OWNER/rack-NUMBER/proof-MODEL-FIRMWARE.json; move it'] };
  }
  if (text.length > mostCharacters) return { errors: ['is larger than 256 KiB; remove it'] };
  const read = Proof.safeParse(parseJson(text));
  if (!read.success) return { errors: issuesOf(read.error) };
  const name = proofFile(read.data);
  if (file !== name)
    return { errors: [`is about another model or firmware; rename it to ${name}`] };
  return { ...read.data, path, owner, rack };
}

/** What equipment answered. */
function recordedIn(path: string, text: string, today: string): Recorded | { errors: string[] } {
  const { owner, rack, file = '' } = place.exec(path)?.groups ?? {};
  if (owner === undefined || rack === undefined) {
    return { errors: ['is not at OWNER/rack-NUMBER/recording-MODEL-FIRMWARE.yaml; move it'] };
  }
  if (text.length > mostRecorded) return { errors: ['is larger than 4 MiB; remove it'] };
  const read = Recording.safeParse(yamlIn(text));
  if (!read.success) return { errors: issuesOf(read.error) };
  const [name, number = name] = [recordingFile(read.data), /-(\d{1,3})\.yaml$/.exec(file)?.[1]];
  if (file !== name && file !== recordingFile(read.data, Number(number)))
    return { errors: [`is about another model or firmware; rename it to ${name}`] };
  const { day } = read.data;
  const mac = unreplaced(text);
  const errors = [
    ...(day < firstDay || day > today
      ? [`day: is ${day}, not between ${firstDay} and ${today}`]
      : []),
    ...(mac === undefined
      ? []
      : [
          `contains ${mac}, which skolo did not write; record the equipment again, or remove the file`,
        ]),
  ];
  return errors.length > 0 ? { errors } : { ...read.data, path, owner, rack };
}

function yamlIn(text: string): unknown {
  try {
    return parse(text);
  } catch {
    return undefined;
  }
}

function issuesOf(error: z.ZodError): string[] {
  return z
    .prettifyError(error)
    .split(/\n(?=✖)/)
    .map(oneLine);
}

/** `✖ Unrecognized key: "serial"\n  → at devices[0]`. */
function oneLine(issue: string): string {
  const [, message = issue, place] = /^✖ (.*?)(?:\n\s*→ at (.*))?$/s.exec(issue) ?? [];
  return place === undefined ? message : `${place}: ${message}`;
}

/** What the schema cannot express. */
function doubts(
  { path, day, devices }: Contribution,
  today: string,
  measured: Map<string, string>,
): string[] {
  const errors: string[] = [];
  if (day < firstDay || day > today) {
    errors.push(
      `day: is ${day}, not between ${firstDay} and ${today}; correct the clock and repeat`,
    );
  }
  for (const [at, device] of devices.entries()) {
    if (device.cycles !== undefined) {
      errors.push(`devices[${at}].cycles: no command writes it yet; remove the file`);
    }
    if (device.steps.every(({ ms }) => ms === 0)) {
      errors.push(`devices[${at}].steps: take no time; only contribute readings of real equipment`);
    }
    const key = JSON.stringify(device);
    const other = measured.get(key) ?? path;
    if (other !== path) {
      errors.push(
        `devices[${at}]: is a copy of an entry in ${other}; read the rack again, or remove the file`,
      );
    }
    measured.set(key, other);
  }
  return errors;
}

/** What the command and the tables know of a file. */
export function sightingsOf({ contributions, recordings }: Omit<Checked, 'errors'>): Sighting[] {
  const read = recordings.filter(({ reading }) => Object.keys(reading).length > 0);
  return [
    ...contributions.map((each) => ({ each, isSwitched: isSwitched(each) })),
    ...read.map((each) => ({ each, isSwitched: false })),
  ].map(({ each: { owner, rack, model, firmware }, ...rest }) => {
    return { owner, rack, model, firmware, ...rest };
  });
}
