import type { ExternalAccount } from '../credential-file.ts';
import { subjectToken } from './subject-token.ts';

/** For google-auth-library: the account with this subject token instead of its `credential_source`. */
export function withSubjectToken(
  { credential_source: source, ...account }: ExternalAccount,
  signal: AbortSignal,
) {
  const getSubjectToken = () => subjectToken(source, signal);
  return { ...account, subject_token_supplier: { getSubjectToken } };
}
