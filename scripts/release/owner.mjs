/** Reads owner.yaml: the values that only the owner has. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';

/** Stands for a value that nobody has filled in. */
export const placeholder = 'FILL_IN';

/**
 * @template T
 * @param {z.ZodType<T>} schema
 */
function filled(schema) {
  return z.union([z.literal(placeholder), schema]);
}

const Owner = z.strictObject({
  repository: filled(z.string().regex(/^https:\/\/[^/\s]+\/[^/\s]+\/[^/\s]+$/)),
  contact: filled(z.email()),
  maintainers: filled(z.array(z.strictObject({ name: z.string(), account: z.string() })).min(1)),
  agreed: filled(z.string()),
  supportMonths: z.int().positive(),
  signer: filled(z.string().regex(/^(ssh|ecdsa|sk)-\S+ \S+/)),
  images: filled(z.string().regex(/^[^\s/]+\/\S*\/$/)),
  apt: z.strictObject({
    url: filled(z.string().regex(/^(https:\/\/|file:\/)\S+$/)),
    directory: filled(z.string().startsWith('/')),
    upload: filled(z.string()),
    key: filled(z.string().regex(/^[\dA-F]{40}$/)),
  }),
});

/** @typedef {z.output<typeof Owner>} Owner */

/**
 * @param {string} root of the repository
 * @returns {Owner}
 * @throws {Error} a value has another form
 */
export function readOwner(root) {
  const parsed = Owner.safeParse(parse(readFileSync(join(root, 'owner.yaml'), 'utf8')));
  if (!parsed.success) throw new Error(`owner.yaml: ${z.prettifyError(parsed.error)}`);
  return parsed.data;
}
