/**
 * An unfinished push, in one Secret of its rack: any workstation can continue it, and skolo-fallback (packages/fallback) restores the
 * former objects if nobody does. Compressed, because the API server accepts 1 MiB.
 */
import { brotliCompressSync, brotliDecompressSync, constants } from 'node:zlib';
import { UnfinishedPush, unfinishedPushKey } from '@skolo/rack/jumphost';
import { z } from 'zod';
import type { Kubectl } from '../way/kubectl.ts';
import { isDeletable, type RackPlan } from './plan.ts';
import { applyObjects, deleteObjects, type Rack } from './rack.ts';
import { RackRecord, Request } from './record.ts';

const secret = {
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name: 'skolo-push', namespace: 'skolo' },
};
const Secret = z.object({ data: z.object({ [unfinishedPushKey]: z.string() }) });
const Unfinished = z.object({ request: Request, record: RackRecord });
type Unfinished = z.infer<typeof Unfinished>;

export async function readUnfinished(
  kubectl: Kubectl,
  signal: AbortSignal,
): Promise<Unfinished | undefined> {
  const { name, namespace } = secret.metadata;
  const args = ['get', 'secret', name, '-n', namespace, '--ignore-not-found', '-o', 'json'];
  const text = await kubectl(args, { signal });
  if (text.trim() === '') return undefined;
  const bytes = Buffer.from(Secret.parse(JSON.parse(text)).data[unfinishedPushKey], 'base64');
  const push = UnfinishedPush.parse(JSON.parse(brotliDecompressSync(bytes).toString()));
  return Unfinished.parse(push.record);
}

/** @throws KubectlError The rack has too many changes for one Secret, or cannot be changed. */
export async function leaveUnfinished(rack: Rack, unfinished: Unfinished): Promise<void> {
  const { request, record } = unfinished;
  const { objects = [], deletions = [] }: Partial<RackPlan> = record.plan ?? {};
  const push: UnfinishedPush = {
    id: request.id,
    by: request.by,
    isApplied: record.state === 'committing',
    restore: [
      ...objects.flatMap(({ action, before }) => (action === 'change' && before ? [before] : [])),
      ...deletions,
    ],
    remove: objects
      .filter(({ action, wanted }) => action === 'create' && isDeletable(wanted))
      .map(({ wanted: { apiVersion, kind, metadata } }) => ({
        apiVersion,
        kind,
        metadata: { name: metadata.name, namespace: metadata.namespace },
      })),
    record: unfinished,
  };
  const params = { [constants.BROTLI_PARAM_QUALITY]: 5 };
  const bytes = brotliCompressSync(JSON.stringify(push), { params });
  const data = { [unfinishedPushKey]: bytes.toString('base64') };
  await applyObjects(rack, [{ ...secret, data }]);
}

export async function removeUnfinished(rack: Rack): Promise<void> {
  await deleteObjects(rack, [secret]);
}
