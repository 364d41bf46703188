/** Reads the subject token of an external account (workload identity federation) from a file or an address. */
import { parseJson } from '@skolo/base';
import { readSecret } from '@skolo/base/secrets';
import { z } from 'zod';
import type { ExternalAccount } from '../credential-file.ts';
import { request } from '../request.ts';
import { rejectedBy, SignInError } from '../sign-in-error.ts';

/**
 * Read here, because the library waits for a named pipe, and keeps line breaks.
 *
 * @throws SecretError, SignInError
 */
export async function subjectToken(
  source: ExternalAccount['credential_source'],
  signal: AbortSignal,
): Promise<string> {
  const { file = '', url, headers = {}, format } = source;
  const what = url === undefined ? file : new URL(url).host;
  const answer = url === undefined ? undefined : await request(url, what, { headers, signal });
  if (answer?.ok === false) throw rejectedBy(what, answer.status, parseJson(answer.text));
  const text = answer?.text ?? (await readSecret({ dir: process.cwd() }, file)).reveal();
  const field = format?.type === 'json' ? format.subject_token_field_name : undefined;
  const json = z.record(z.string(), z.unknown()).safeParse(parseJson(text)).data;
  const found = field === undefined ? text : json?.[field];
  const token = typeof found === 'string' ? found.trim() : '';
  if (token !== '') return token;
  const missing = field === undefined ? 'the subject token' : `the field ${field}`;
  throw new SignInError('rejected', `${what}: ${missing} of credential_source is missing`);
}

/** For google-auth-library: the account with this subject token instead of its `credential_source`. */
export function withSubjectToken(
  { credential_source: source, ...account }: ExternalAccount,
  signal: AbortSignal,
) {
  const getSubjectToken = () => subjectToken(source, signal);
  return { ...account, subject_token_supplier: { getSubjectToken } };
}
