/** rack.yaml to a Rack, or all that is wrong with it. */
import { readFile } from 'node:fs/promises';
import { errorCode } from '@skolo/errors';
import { type BuildOptions, build } from './build.ts';
import { runChecks } from './checks/index.ts';
import type { Draft } from './draft.ts';
import { issuesOf, type Problem, RackError, type RackIssue } from './issues.ts';
import { pastedSecretsOf } from './pasted-secrets.ts';
import { readPlainYaml } from './plain-yaml.ts';
import type { Rack } from './rack.ts';
import { salvage } from './salvage/salvage.ts';
import type { ServiceName } from './service-ports.ts';
import { unreadableRack } from './unreadable.ts';
import { warningsOf } from './warnings.ts';
import { maxTextLength, readYaml } from './yaml.ts';

/** The text of a rack, for the lines of warnings. */
const origins = new WeakMap<Rack, { text: string; file: string }>();

/**
 * Reads the text of a rack.yaml. `file` is for messages, and what relative paths refer to. A service is strict about
 * all but the sections of other services (`strictFor`); without it everything is strict. Throws RackError and nothing
 * else, whatever the text.
 */
export function parseRack(text: string, options: { file: string; strictFor?: ServiceName }): Rack {
  // Positions cost more than all the rest and are needed only for mistakes: first without.
  const plain = text.length <= maxTextLength ? readPlainYaml(text) : undefined;
  const quick = plain && draftOf(plain.value, options);
  if (quick && quick.problems.length === 0) return finish(quick.draft, text, options.file);

  const { value, locate } = readYaml(text, options.file);
  const { draft, problems } = draftOf(value, options);
  if (problems.length > 0) throw new RackError(issuesOf(problems, locate, options.file));
  return finish(draft, text, options.file);
}

/**
 * What can be used safely of a rack.yaml with mistakes, for a start without a better copy: entries with mistakes and
 * what depends on them are left out, as `disabled` of the rack says. Throws RackError, as parseRack does, where nothing can.
 */
export function salvageRack(
  text: string,
  options: { file: string; strictFor?: ServiceName },
): Rack {
  const { value } = readYaml(text, options.file);
  const salvaged = salvage(value, options);
  // Shows what is wrong.
  if (salvaged === undefined) return parseRack(text, options);
  const { draft, disabled } = salvaged;
  return { ...finish(draft, text, options.file), disabled };
}

/** Reads and parses a file. A file that cannot be read is a RackError, too. */
export async function readRack(
  file: string,
  options: { strictFor?: ServiceName } = {},
): Promise<Rack> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    const code = errorCode(error) ?? String(error);
    throw unreadableRack(file, code, error);
  }
  return parseRack(text, { ...options, file });
}

/** Likely oversights, for `skolo rack check`. Only of a rack that parseRack or readRack made. */
export function rackWarnings(rack: Rack): RackIssue[] {
  const origin = origins.get(rack);
  if (origin === undefined) return [];
  const { text, file } = origin;
  const { value, locate } = readYaml(text, file);
  const { draft } = build(value, { file });
  // The value is not shown: it may be the secret.
  const pasted = pastedSecretsOf(rack, draft, value).map(({ path }): Problem => {
    const message =
      'no file of this name is beside rack.yaml; write { file: PATH } or { env: NAME }, and replace the secret if it is the secret itself';
    return { path, rule: 'pasted', message };
  });
  return issuesOf([...warningsOf(draft), ...pasted], locate, file);
}

/** Where rack.yaml probably has a secret itself in place of its file, as {@link SecretReference} says it. */
export function pastedSecrets(rack: Rack): Set<string> {
  const origin = origins.get(rack);
  if (origin === undefined) return new Set();
  const { value } = readYaml(origin.text, origin.file);
  const { draft } = build(value, { file: origin.file });
  return new Set(pastedSecretsOf(rack, draft, value).map(({ reference }) => reference.where));
}

function draftOf(value: unknown, options: BuildOptions): { draft: Draft; problems: Problem[] } {
  const { draft, problems } = build(value, options);
  runChecks(draft, problems);
  return { draft, problems };
}

function finish({ rack: { jumphost, ...rest } }: Draft, text: string, file: string): Rack {
  if (jumphost === undefined) throw new Error('a rack without mistakes has a jumphost');
  const rack: Rack = { ...rest, jumphost };
  origins.set(rack, { text, file });
  return rack;
}
