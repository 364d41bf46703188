/** rack.yaml to a Rack, or all its errors. */
import { readFile } from 'node:fs/promises';
import { errorCode, isObject } from '@skolo/base';
import { runChecks } from '../checks/index.ts';
import { pastedSecretsOf, pathInFile } from '../checks/pasted-secrets.ts';
import { warningsOf } from '../checks/warnings.ts';
import { type BuildOptions, build } from '../draft/build.ts';
import type { Draft } from '../draft/draft.ts';
import {
  type Finding,
  issuesOf,
  type Problem,
  RackError,
  type RackIssue,
  unreadableRack,
} from '../issues/issues.ts';
import type { Rack } from '../rack/rack.ts';
import type { ServiceName } from '../schema/service-ports.ts';
import { readYaml } from '../yaml/yaml.ts';
import { usablePart } from './usable-part.ts';

/** The text of a rack, for the lines of warnings. */
const origins = new WeakMap<Rack, { text: string; file: string }>();

/**
 * Parses the text of a rack.yaml. `file` is for messages and relative paths. A service (`strictFor`) ignores unknown keys
 * in sections of other services.
 *
 * @throws RackError Throws nothing else, for any text.
 */
export function parseRack(text: string, options: { file: string; strictFor?: ServiceName }): Rack {
  const { value, locate } = readYaml(text, options.file);
  const { draft, problems } = draftOf(value, options);
  if (problems.length > 0) throw new RackError(issuesOf(problems, locate, options.file));
  return finish(draft, text, options.file);
}

/**
 * The usable part of a rack.yaml with errors, for a start without a last valid copy. Omits entries with errors
 * and entries that depend on them, and lists them in `disabled`.
 *
 * @throws RackError No part is usable.
 */
export function usableRack(text: string, options: { file: string; strictFor?: ServiceName }): Rack {
  const { value } = readYaml(text, options.file);
  const usable = usablePart(value, options);
  // Throws the errors.
  if (usable === undefined) return parseRack(text, options);
  const { draft, disabled } = usable;
  return { ...finish(draft, text, options.file), disabled };
}

/** Reads and parses a file. @throws RackError Even for an unreadable file. */
export async function readRack(
  file: string,
  options: { strictFor?: ServiceName } = {},
): Promise<Rack> {
  return parseRack(await readRackText(file), { ...options, file });
}

/** @throws RackError It cannot be read. */
export async function readRackText(file: string): Promise<string> {
  return await readFile(file, 'utf8').catch((error) => {
    throw unreadableRack(file, errorCode(error) ?? String(error), error);
  });
}

/** Likely oversights, and secrets that were probably typed into the file, for `skolo check rack`. Requires a rack of parseRack or readRack. */
export function rackOversights(rack: Rack): { pasted: RackIssue[]; warnings: RackIssue[] } {
  const origin = origins.get(rack);
  if (origin === undefined) return { pasted: [], warnings: [] };
  const { text, file } = origin;
  const { value, locate, renamed } = readYaml(text, file);
  const { draft } = build(value, { file });
  const previous = renamed.map((key): Problem => {
    const message =
      'is written with its previous name, which skolo reads until version 1.0; to rename it, run skolo rack edit --words';
    return { path: [key], rule: 'previous key', message, at: 'key' };
  });
  // The message omits the value, which may be the secret.
  const pasted = pastedSecretsOf(rack, draft, value).map((path): Problem => {
    const message =
      'no such file next to rack.yaml; write { file: PATH } or { env: NAME }. If this is the secret itself, replace the secret';
    return { path, rule: 'pasted', message };
  });
  return {
    pasted: issuesOf(pasted, locate, file),
    warnings: issuesOf([...previous, ...warningsOf(draft, listedServices(value))], locate, file),
  };
}

/** Findings with their lines in rack.yaml. Requires a rack of parseRack or readRack. */
export function locateFindings(rack: Rack, findings: readonly Finding[]): RackIssue[] {
  const origin = origins.get(rack);
  if (origin === undefined)
    throw new TypeError('this rack was not read from a file, so its lines are unknown');
  const { text, file } = origin;
  const { value, locate } = readYaml(text, file);
  const { draft } = build(value, { file });
  const problems = findings.map(({ path, message, at }, i): Problem => {
    return { path: pathInFile(draft, path), rule: String(i), message, ...(at && { at }) };
  });
  return issuesOf(problems, locate, file);
}

function listedServices(value: unknown): string[] {
  const services = isObject(value) ? value.services : undefined;
  return isObject(services) ? Object.keys(services) : [];
}

function draftOf(value: unknown, options: BuildOptions): { draft: Draft; problems: Problem[] } {
  const { draft, problems } = build(value, options);
  runChecks(draft, problems);
  return { draft, problems };
}

function finish({ rack: { jumphost, ...rest } }: Draft, text: string, file: string): Rack {
  if (jumphost === undefined) throw new Error('rack.yaml is valid, but has no jumphost');
  const rack: Rack = { ...rest, jumphost };
  origins.set(rack, { text, file });
  return rack;
}
