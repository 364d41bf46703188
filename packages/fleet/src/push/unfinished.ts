/**
 * Stores an unfinished push in one Secret of its rack: any workstation can continue it, and skolo-fallback (services/fallback) restores the
 * previous objects if nobody does.
 */
import {
  packUnfinished,
  pushObject,
  type UnfinishedPush,
  UnfinishedSecret,
  unpackUnfinished,
} from '@skolo/rack/jumphost';
import { z } from 'zod';
import type { Kubectl } from '../way/kubectl.ts';
import { isDeletable, type RackPlan } from './plan.ts';
import { applyObjects, deleteObjects, type Rack } from './rack.ts';
import { RackRecord, Request } from './record.ts';

const secret = { apiVersion: 'v1', kind: 'Secret', metadata: pushObject };
const Unfinished = z.object({ request: Request, record: RackRecord });
type Unfinished = z.infer<typeof Unfinished>;

export async function readUnfinished(
  kubectl: Kubectl,
  signal: AbortSignal,
): Promise<Unfinished | undefined> {
  const { name, namespace } = pushObject;
  const args = ['get', 'secret', name, '-n', namespace, '--ignore-not-found', '-o', 'json'];
  const text = await kubectl(args, { signal });
  if (text.trim() === '') return undefined;
  const { record } = unpackUnfinished(UnfinishedSecret.parse(JSON.parse(text)));
  return Unfinished.parse(record);
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
  await applyObjects(rack, [{ ...secret, ...packUnfinished(push) }]);
}

export async function removeUnfinished(rack: Rack): Promise<void> {
  await deleteObjects(rack, [secret]);
}
