/**
 * `.sops.yaml`, from which sops and skolo read the recipients of a new file: the first of `creation_rules` whose
 * `path_regex` matches its path.
 */
import { readFile } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import { errorCode } from '@skolo/base';
import { parse } from 'yaml';
import { z } from 'zod';
import { StoreError } from '../errors.ts';

const list = z
  .union([z.string().transform((text) => text.split(',')), z.array(z.string())])
  .transform((all) => all.map((each) => each.trim()).filter((each) => each !== ''));
const Rule = z.looseObject({
  path_regex: z.string().default(''),
  age: list.default([]),
  key_groups: z.array(z.looseObject({ age: list.default([]) })).default([]),
});
const SopsConfig = z.looseObject({ creation_rules: z.array(Rule).default([]) });

/** Keys of a rule for keys other than age keys. */
const others = [
  'pgp',
  'kms',
  'gcp_kms',
  'azure_keyvault',
  'hc_vault_transit_uri',
  'hc_vault',
  'hckms',
];

const howTo =
  'list the age recipients of your team, at least two: `creation_rules: [{ age: "age1…,age1…" }]`';

/**
 * The recipients of a file that does not exist yet.
 *
 * @throws StoreError `.sops.yaml` does not exist, or none of its rules matches.
 */
export async function recipientsFor(file: string): Promise<string[]> {
  const { path, text } = await findConfig(dirname(resolve(file)));
  const config = readConfig(text, path);
  const name = relative(dirname(path), resolve(file));
  const rule = config.creation_rules.find(({ path_regex }) => matches(path_regex, name, path));
  if (rule === undefined) {
    throw new StoreError(`${path}: no rule matches ${name}; ${howTo}`);
  }
  const groups = [rule, ...rule.key_groups];
  if (groups.some((group) => others.some((key) => key in group)) || rule.key_groups.length > 1) {
    throw new StoreError(
      `${path}: the rule for ${name} contains keys other than age keys, or several key groups, which skolo does not support; ${howTo}`,
    );
  }
  const recipients = [...new Set(groups.flatMap(({ age }) => age))];
  if (recipients.length > 0) return recipients;
  throw new StoreError(`${path}: the rule for ${name} does not contain a recipient; ${howTo}`);
}

async function findConfig(folder: string): Promise<{ path: string; text: string }> {
  for (let at = folder; ; at = dirname(at)) {
    const path = join(at, '.sops.yaml');
    try {
      return { path, text: await readFile(path, 'utf8') };
    } catch (error) {
      if (errorCode(error) !== 'ENOENT' && errorCode(error) !== 'ENOTDIR') throw error;
    }
    if (at === dirname(at)) break;
  }
  throw new StoreError(
    `no .sops.yaml in ${folder} or its parent directories; create one at the top of the repository, and ${howTo}`,
  );
}

function readConfig(text: string, path: string): z.output<typeof SopsConfig> {
  try {
    return SopsConfig.parse(parse(text) ?? {});
  } catch (cause) {
    throw new StoreError(`${path}: not a sops configuration; ${howTo}`, {
      cause,
    });
  }
}

function matches(pattern: string, name: string, path: string): boolean {
  try {
    return new RegExp(pattern).test(name);
  } catch (cause) {
    throw new StoreError(`${path}: path_regex ${pattern} is not a regular expression`, { cause });
  }
}
