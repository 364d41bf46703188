/** Credentials of an identity: exactly one kind. */

import type { AccountCredentials, SourceCredentials } from '@skolo/base/secrets';
import type { z } from 'zod';
import type { Path } from '../issues/issues.ts';
import type { credentialsSchema } from '../schema/rack-schema.ts';
import type { Report } from './draft.ts';

const kinds = ['serviceAccountKey', 'refreshToken', 'externalAccount', 'fixed'] as const;

/** Undefined after a reported error. */
export function readCredentials(
  written: z.output<typeof credentialsSchema>,
  path: Path,
  report: Report,
): AccountCredentials | undefined {
  const { impersonate, from, delegates, endpoint, ...source } = written;
  if (impersonate === undefined) {
    const extra = ['from', 'delegates', 'endpoint'].filter((key) => Object.hasOwn(written, key));
    const why = 'requires `impersonate`';
    for (const key of extra) report([...path, key], 'credentials', why, 'key');
    return extra.length > 0 ? undefined : readSource(source, path, report);
  }
  if (kinds.some((kind) => source[kind] !== undefined) || from === undefined) {
    const needs =
      '`from: { … }` with credentials that may impersonate the account, and no other credentials';
    report(path, 'credentials', `\`impersonate\` requires ${needs}`);
    return undefined;
  }
  const read = readSource(from, [...path, 'from'], report);
  return (
    read && {
      kind: 'impersonate',
      email: impersonate,
      from: read,
      delegates: delegates ?? [],
      ...(endpoint !== undefined && { endpoint }),
    }
  );
}

function readSource(
  written: { [K in (typeof kinds)[number] | 'tokenUrl']?: string },
  path: Path,
  report: Report,
): SourceCredentials | undefined {
  const given = kinds.filter((kind) => written[kind] !== undefined);
  const [kind] = given;
  const file = kind && written[kind];
  if (given.length !== 1 || kind === undefined || file === undefined) {
    const found = given.length === 0 ? 'none' : given.join(' and ');
    const choice = `${kinds.join(', ')}, impersonate`;
    report(path, 'credentials', `expected exactly one of ${choice}; found ${found}`);
    return undefined;
  }
  if (written.tokenUrl !== undefined && kind !== 'refreshToken') {
    const why = `applies only to \`refreshToken\`, not to \`${kind}\``;
    report([...path, 'tokenUrl'], 'credentials', why, 'key');
    return undefined;
  }
  if (kind !== 'refreshToken') return { kind, file };
  return { kind, file, ...(written.tokenUrl !== undefined && { tokenUrl: written.tokenUrl }) };
}
