import type { Secret } from '@skolo/rack';
import type { z } from 'zod';
import { UpstreamError } from './source.ts';

/** Parses a JSON file of credentials. The error names the file and the keys, never what is in them. */
export function parseCredentialFile<T>(
  schema: z.ZodType<T>,
  secret: Secret,
  file: string,
  expected: string,
): T {
  let json: unknown;
  try {
    json = JSON.parse(secret.reveal());
  } catch {
    throw new UpstreamError('refused', `${file}: not JSON. Expected ${expected}`);
  }
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  const where = parsed.error.issues.map(({ path }) => path.join('.') || 'the whole').join(', ');
  throw new UpstreamError('refused', `${file}: not ${expected} (look at: ${where})`);
}
