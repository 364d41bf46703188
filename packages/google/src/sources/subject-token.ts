/** Reads the subject token of an external account (workload identity federation) from its file. */
import { parseJson } from '@skolo/base';
import { readSecret } from '@skolo/base/secrets';
import { z } from 'zod';
import { SignInError } from '../sign-in-error.ts';

/** `credential_source` of an external account (AIP-4117), without other kinds than `file`. */
interface FileSource {
  file?: string | undefined;
  format?: { type: 'text' } | { type: 'json'; subject_token_field_name: string } | undefined;
}

/**
 * Read here, because the library waits for a named pipe, and keeps the last line break.
 *
 * @throws SecretError, SignInError
 */
export async function subjectToken({ file = '', format }: FileSource): Promise<string> {
  const text = (await readSecret({ dir: process.cwd() }, file)).reveal();
  if (format?.type !== 'json') return text.trim();
  const field = format.subject_token_field_name;
  const { data } = z.looseObject({ [field]: z.string().min(1) }).safeParse(parseJson(text));
  const token = data?.[field];
  if (typeof token === 'string') return token;
  throw new SignInError('rejected', `${file}: the field ${field} of credential_source is missing`);
}
