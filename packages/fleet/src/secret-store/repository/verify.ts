/**
 * Decides what counts as an unencrypted secret in git: checks that the index does not contain any, and that the team can decrypt its
 * own, for CI and a commit hook.
 */

import { join, relative } from 'node:path';
import { withoutName } from '@skolo/base';
import type { Secret } from '@skolo/base/secrets';
import { StoreError } from '../errors.ts';
import { sopsHeader } from '../stores/sops-file.ts';
import { recipientsFor } from '../stores/sops-rules.ts';
import { sopsSuffix } from '../stores/sops-store.ts';
import { type GitDeps, grepIndex, indexedContents, topFolder, trackedFiles } from './git.ts';

interface Finding {
  /** Relative to the repository's top directory. */
  file: string;
  line?: number;
  problem: string;
}

interface VerifyDeps extends GitDeps {
  /** Absolute directory with racks and clusters, which is searched for text that looks like a secret. */
  kube: string;
  /** Absolute directories of encrypted stores. */
  stores: readonly string[];
  /** Absolute paths of directories and files with unencrypted secrets, which must not be in git. */
  forbidden: readonly string[];
  /** Values that this workstation can decrypt, by place, which are searched for in the whole repository. */
  values: ReadonlyMap<string, Secret>;
}

/** Commonly pasted secrets, as extended regular expressions. */
const looks: readonly { pattern: string; what: string; isOne?: (match: string) => boolean }[] = [
  { pattern: '-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----', what: 'a private key' },
  { pattern: 'AGE-SECRET-KEY-1[02-9AC-HJ-NP-Z]{50}', what: 'an age identity' },
  {
    pattern: 'skolo_[A-Za-z0-9_-]{43}',
    what: 'a service token',
    // Metric names start with the same letters.
    isOne: (match) => /[A-Z]/.test(match.slice(6)),
  },
  { pattern: 'K10[0-9a-f]{64}::', what: 'a k3s token' },
  { pattern: 'ya29\\.[A-Za-z0-9_-]{20,}', what: 'a Google token' },
];

const leastRecipients = 2;

/**
 * All problems, by file. Findings never quote a secret.
 *
 * @throws StoreError git fails.
 */
export async function verifyRepository(deps: VerifyDeps): Promise<Finding[]> {
  const top = await topFolder(deps);
  const fromTop = (path: string) => relative(top, path);
  const findings: Finding[] = [
    ...(await lookAlikes(deps, fromTop(deps.kube))),
    ...(await knownValues(deps)),
  ];
  for (const path of deps.forbidden) {
    for (const file of await trackedFiles(deps, fromTop(path))) {
      findings.push({
        file,
        problem: `rack.yaml lists this file as a secret, but git contains it unencrypted; remove it with \`git rm --cached\`, replace the secret everywhere, and save the new value with skolo secrets set`,
      });
    }
  }
  for (const store of new Set(deps.stores)) {
    findings.push(...(await verifyStore(deps, top, fromTop(store))));
  }
  return findings.sort((a, b) => (a.file < b.file ? -1 : 1));
}

const replaced =
  'remove the value from the file, and replace the secret everywhere, because the git history still contains the value';

async function lookAlikes(deps: GitDeps, below: string): Promise<Finding[]> {
  const patterns = looks.map(({ pattern }) => pattern);
  const hits = await grepIndex(deps, patterns, { as: 'expression', below });
  return hits.flatMap(({ file, line, match }) => {
    const look = looks.find(({ pattern }) => new RegExp(pattern).test(match));
    if (look?.isOne?.(match) === false) return [];
    const what = look?.what ?? 'a secret';
    return [{ file, line, problem: `looks like ${what}, unencrypted; ${replaced}` }];
  });
}

/** Shorter values may also be words in other texts. */
const leastLetters = 8;

async function knownValues(deps: VerifyDeps): Promise<Finding[]> {
  const places = new Map<string, string>();
  for (const [place, value] of deps.values) {
    const text = value.reveal();
    // Patterns are lines. A long value is identified by its longest line.
    const longest = text
      .split(/\r?\n/)
      .reduce((a, b) => (b.length > a.length ? b : a), '')
      .trim();
    // Not the end, which depends on the following text.
    const encoded = Buffer.from(text).toString('base64').slice(0, -4);
    for (const form of [longest, encoded]) if (form.length >= leastLetters) places.set(form, place);
  }
  const hits = await grepIndex(deps, [...places.keys()], { as: 'text', below: '' });
  return hits.map(({ file, line, match }) => ({
    file,
    line,
    problem: `contains the value of ${places.get(match) ?? 'a secret'}, unencrypted; ${replaced}`,
  }));
}

async function verifyStore(deps: GitDeps, top: string, store: string): Promise<Finding[]> {
  const files = await trackedFiles(deps, store);
  const own = files.filter((file) => !/(^|\/)\.(sops\.yaml|git\w+)$/.test(file));
  const contents = await indexedContents(deps, own);
  const findings: Finding[] = [];
  for (const [file, text] of contents) {
    const problem = file.endsWith(sopsSuffix)
      ? await problemOf(join(top, file), text)
      : `does not end with ${sopsSuffix}, so it is probably not encrypted; use skolo secrets set`;
    if (problem !== undefined) findings.push({ file, problem });
  }
  return findings;
}

async function problemOf(path: string, text: string): Promise<string | undefined> {
  try {
    const { recipients } = sopsHeader(text, path);
    const wanted = await recipientsFor(path);
    const missing = wanted.filter((each) => !recipients.includes(each));
    const extra = recipients.filter((each) => !wanted.includes(each));
    if (missing.length + extra.length > 0) {
      const lists = [
        ...missing.map((each) => `not encrypted for ${each}`),
        ...extra.map((each) => `still encrypted for ${each}`),
      ];
      return `does not match .sops.yaml: ${lists.join(', ')}; run \`sops updatekeys\`, or skolo secrets set`;
    }
    if (recipients.length >= leastRecipients) return undefined;
    return 'has only one recipient, so nobody can decrypt it if that identity is lost; add a second recipient to .sops.yaml and run `sops updatekeys`';
  } catch (error) {
    if (error instanceof StoreError) return withoutName(error.message, path);
    throw error;
  }
}
