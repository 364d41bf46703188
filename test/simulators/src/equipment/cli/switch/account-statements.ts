/**
 * Passwords that are statements of a configuration: accounts follow what is active. A password that is typed is kept as a
 * hash, here without salt. What a test gives as password belongs to the statement that was there at the start.
 */
import { createHash } from 'node:crypto';

export interface AccountStatements {
  /** Typed statements, and what is kept of them: `$1` is a group, `{hash}` that of the group `secret`. */
  typed: readonly (readonly [typed: RegExp, kept: string])[];
  /** A statement, in any section, with the hash of this user. */
  user(name: string): RegExp;
  /** That of privileged mode. */
  enable?: RegExp;
}

/** What is kept of a line. */
export function keptLine(line: string, { typed }: AccountStatements): string {
  for (const [pattern, kept] of typed) {
    const secret = pattern.exec(line)?.groups?.secret;
    if (secret !== undefined) return line.replace(pattern, kept.replace('{hash}', hashOf(secret)));
  }
  return line;
}

function hashOf(secret: string): string {
  return createHash('sha256').update(secret).digest('hex').slice(0, 40);
}

/** Whether a password is right, by what was kept of it at the start and now. */
export function isRight(
  given: string,
  { first, now, original }: Record<'first' | 'now' | 'original', string | undefined>,
): boolean {
  return now === first ? given === original : (now?.includes(hashOf(given)) ?? false);
}

/** The statement in a configuration. */
export function statementIn(text: string, pattern: RegExp): string | undefined {
  return text
    .split('\n')
    .map((line) => line.trim())
    .find((line) => pattern.test(line));
}
