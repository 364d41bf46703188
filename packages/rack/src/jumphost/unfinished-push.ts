/**
 * Objects that a push leaves in its rack until it has ended, and that skolo-fallback leaves of a push that it has rolled back. Both are in
 * the rack's cluster, below the same name.
 */
import { brotliCompressSync, brotliDecompressSync, constants } from 'node:zlib';
import { parseJson } from '@skolo/base';
import { z } from 'zod';

/** A Lease, which the push renews, and a Secret, which exists while it is unfinished. */
export const pushObject = { name: 'skolo-push', namespace: 'skolo' };

/**
 * Of the Lease: the push that skolo-fallback rolled back, because its workstation stopped responding. The next successful push removes it.
 */
export const rolledBackAnnotation = 'skolo/rolled-back';

/** Its value, as JSON. */
const RolledBack = z.object({ push: z.string(), by: z.string(), at: z.string() });
export type RolledBack = z.output<typeof RolledBack>;

/** From the Lease's annotations. */
export function rolledBackIn(
  annotations: Readonly<Record<string, string>>,
): RolledBack | undefined {
  return RolledBack.safeParse(parseJson(annotations[rolledBackAnnotation] ?? '')).data;
}

const KubeObject = z.looseObject({
  apiVersion: z.string(),
  kind: z.string(),
  metadata: z.looseObject({ name: z.string(), namespace: z.string().optional() }),
});

const UnfinishedPush = z.object({
  id: z.string(),
  by: z.string(),
  /** Everything has been applied and is healthy; only the commit is missing. */
  isApplied: z.boolean(),
  /** Objects as they were before the push. */
  restore: z.array(KubeObject),
  /** Objects that the push creates. */
  remove: z.array(KubeObject),
  /** What another workstation needs to continue. */
  record: z.unknown(),
});
export type UnfinishedPush = z.output<typeof UnfinishedPush>;

const key = 'push.json.br';

/** The Secret, as the API server returns it. */
export const UnfinishedSecret = z.object({ data: z.object({ [key]: z.string() }) });
type UnfinishedSecret = z.output<typeof UnfinishedSecret>;

const mostBytes = 64 * 1024 * 1024;

/** Compressed, because the API server accepts 1 MiB. */
export function packUnfinished(push: UnfinishedPush): UnfinishedSecret {
  const params = { [constants.BROTLI_PARAM_QUALITY]: 5 };
  const bytes = brotliCompressSync(JSON.stringify(push), { params });
  return { data: { [key]: bytes.toString('base64') } };
}

/** @throws An error of zlib, JSON or zod: it is damaged, or has more than 64 MiB. */
export function unpackUnfinished({ data }: UnfinishedSecret): UnfinishedPush {
  const bytes = Buffer.from(data[key], 'base64');
  const text = brotliDecompressSync(bytes, { maxOutputLength: mostBytes }).toString();
  return UnfinishedPush.parse(JSON.parse(text));
}
