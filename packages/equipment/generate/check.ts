/** Checks the files in docs/proofs: where they are, what they contain, and whether one is a copy of another. */
import { parseJson } from '@skolo/base';
import { z } from 'zod';
import type { Sighting } from '../src/models/proofs/levels.ts';
import { isSwitched, Proof, proofFile } from '../src/models/proofs/proof.ts';

export interface Contribution extends Proof {
  /** `OWNER/RACK/FILE`. */
  path: string;
  owner: string;
  rack: string;
}

interface Checked {
  contributions: Contribution[];
  /** Each begins with the path of a file. */
  errors: string[];
}

/** `OWNER/rack-NUMBER/FILE`. An owner is an account on GitHub. */
const place = /^(?<owner>[a-z\d](?:-?[a-z\d]){0,38})\/(?<rack>rack-[1-9]\d{0,2})\/(?<file>[^/]+)$/;
const mostCharacters = 256 * 1024;
/** `skolo check equipment` did not exist before. */
const firstDay = '2026-11-01';

/**
 * @param files their texts by path in docs/proofs
 * @param today such as 2026-11-25
 */
export function checkProofs(files: ReadonlyMap<string, string>, today: string): Checked {
  const checked: Checked = { contributions: [], errors: [] };
  /** Files by each device's measurements: two readings never take equal times. */
  const measured = new Map<string, string>();
  for (const [path, text] of [...files].sort(([a], [b]) => (a < b ? -1 : 1))) {
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
  if (!read.success)
    return {
      errors: z
        .prettifyError(read.error)
        .split(/\n(?=✖)/)
        .map(oneLine),
    };
  const name = proofFile(read.data);
  if (file !== name)
    return { errors: [`is about another model or firmware; rename it to ${name}`] };
  return { ...read.data, path, owner, rack };
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
export function sightingOf(contribution: Contribution): Sighting {
  const { owner, rack, model, firmware } = contribution;
  return { owner, rack, model, firmware, isSwitched: isSwitched(contribution) };
}
