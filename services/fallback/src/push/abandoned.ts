/**
 * Decides when a push whose workstation stopped responding is rolled back: restores the previous objects, so that the rack does not stay
 * between two versions. `skolo push` leaves them in a Secret before its first change, and renews a Lease while it runs.
 */
import { hostname } from 'node:os';
import { join } from 'node:path';
import { errorText } from '@skolo/base';
import { writeFileAtomic } from '@skolo/base/durable/atomic-file';
import {
  pushObject,
  type RolledBack,
  rolledBackAnnotation,
  rolledBackIn,
  type UnfinishedPush,
  UnfinishedSecret,
  unpackUnfinished,
} from '@skolo/rack/jumphost';
import { z } from 'zod';
import { readJson } from '../json-file.ts';
import type { ApiServer } from '../kubernetes/api-server.ts';
import { lostBetween } from '../lost-time.ts';
import type { Settings } from '../settings.ts';

const leasePath = `/apis/coordination.k8s.io/v1/namespaces/${pushObject.namespace}/leases/${pushObject.name}`;
const secretPath = `/api/v1/namespaces/${pushObject.namespace}/secrets/${pushObject.name}`;
const holder = `skolo-fallback on ${hostname()}`;
const manager = 'fieldManager=skolo&force=true';

const Lease = z.object({
  metadata: z.object({
    resourceVersion: z.string(),
    annotations: z.record(z.string(), z.string()).default({}),
  }),
  spec: z.object({ holderIdentity: z.string().default('') }).prefault({}),
});
type Lease = z.output<typeof Lease>;
const Resources = z.object({
  resources: z.array(z.object({ name: z.string(), kind: z.string() })),
});
/** The Lease at earlier looks of this boot: workstations' clocks differ from ours. */
const seenFile = 'skolo-push.json';
const Seen = z.object({ version: z.string(), since: z.number(), at: z.number() });

interface Deps {
  settings: Pick<Settings, 'pushSeconds'>;
  /** Seconds since boot. */
  uptime(): number;
  print(text: string): void;
}

/**
 * Rolls a push back if its Lease was not renewed for `pushSeconds`, and reports the last one that was rolled back as a metric.
 *
 * @param run of this boot: `/run`
 * @throws An error for people. The next look continues.
 */
export async function endAbandonedPush(api: ApiServer, deps: Deps, run = '/run'): Promise<void> {
  const lease = await api.get(leasePath, Lease);
  if (lease === undefined) return;
  const isOurs = lease.spec.holderIdentity === holder;
  const idleSeconds = await idleFor(lease, deps, join(run, seenFile));
  let last = rolledBackIn(lease.metadata.annotations);
  if (isOurs || idleSeconds > deps.settings.pushSeconds) {
    const secret = await api.get(secretPath, UnfinishedSecret);
    const push = secret && unpackUnfinished(secret);
    if (push && !push.isApplied) last = await rollBack(api, push, lease, deps);
    else if (isOurs && !push) await api.patch(leasePath, { spec: { holderIdentity: '' } });
  }
  await report(last, join(run, 'skolo-push.prom'));
}

/** Who holds the Lease of a push, unless it was last renewed more than `pushSeconds` ago. Writes nothing. */
export async function pushHolder(
  api: ApiServer,
  { settings, uptime }: Omit<Deps, 'print'>,
  run = '/run',
): Promise<string | undefined> {
  const lease = await api.get(leasePath, Lease);
  const same = lease && (await sameAs(lease, uptime(), join(run, seenFile)));
  const isIdle = same !== undefined && uptime() - same.since > settings.pushSeconds;
  return isIdle ? undefined : lease?.spec.holderIdentity || undefined;
}

/** Seconds since the Lease was last changed, as far as this boot knows. */
async function idleFor(lease: Lease, { uptime }: Deps, file: string): Promise<number> {
  const now = uptime();
  const { since = now } = (await sameAs(lease, now, file)) ?? {};
  const seen = { version: lease.metadata.resourceVersion, since, at: now };
  await writeFileAtomic(file, JSON.stringify(seen), { mode: 0o600 });
  return now - since;
}

/** The first look that found it as it is now, without the time in which nobody looked; undefined: it has changed since the last look. */
async function sameAs({ metadata }: Lease, now: number, file: string) {
  const seen = await readJson(file, Seen);
  if (seen?.version !== metadata.resourceVersion) return undefined;
  return { since: seen.since + lostBetween(seen.at, now) };
}

/** Can be repeated: the Secret is removed last. */
async function rollBack(
  api: ApiServer,
  { id, by, restore, remove }: UnfinishedPush,
  { metadata: { resourceVersion } }: Lease,
  { print }: Deps,
): Promise<RolledBack> {
  const now = new Date().toISOString();
  // The API server rejects it if the workstation has renewed the Lease since.
  const renewTime = now.replace('Z', '000Z');
  await api.patch(leasePath, {
    metadata: { resourceVersion },
    spec: { holderIdentity: holder, renewTime },
  });
  print(
    `push ${id} by ${by}: its workstation stopped responding; restoring ${restore.length} objects`,
  );
  const pathOf = pathsIn(api);
  const failures: string[] = [];
  const all = [
    ...restore.map((object) => ({ object, isFormer: true })),
    ...remove.map((object) => ({ object, isFormer: false })),
  ];
  for (const { object, isFormer } of all) {
    try {
      const path = await pathOf(object);
      if (isFormer) await api.patch(`${path}?${manager}`, object, 'application/apply-patch+yaml');
      else await api.remove(path);
    } catch (error) {
      failures.push(`${object.kind} ${object.metadata.name}: ${errorText(error)}`);
    }
  }
  if (failures.length > 0) throw new Error(`push ${id}: not restored: ${failures.join('; ')}`);
  const value: RolledBack = { push: id, by, at: now };
  const annotations = { [rolledBackAnnotation]: JSON.stringify(value) };
  await api.patch(leasePath, { metadata: { annotations } });
  await api.remove(secretPath);
  await api.patch(leasePath, { spec: { holderIdentity: '' } });
  print(`push ${id}: rolled back`);
  return value;
}

type Restored = UnfinishedPush['restore'][number];

/** Paths of objects, from the lists of what the API server serves. */
function pathsIn(api: ApiServer) {
  const lists = new Map<string, Promise<z.output<typeof Resources> | undefined>>();
  return async ({ apiVersion, kind, metadata }: Restored): Promise<string> => {
    const group = `/${apiVersion.includes('/') ? 'apis' : 'api'}/${apiVersion}`;
    const list = lists.get(group) ?? api.get(group, Resources);
    lists.set(group, list);
    const found = (await list)?.resources.find(
      (each) => each.kind === kind && !/\//.test(each.name),
    );
    if (found === undefined) throw new Error(`k3s does not serve ${apiVersion} ${kind}`);
    const { namespace, name } = metadata;
    const folder = namespace === undefined ? group : `${group}/namespaces/${namespace}`;
    return `${folder}/${found.name}/${name}`;
  };
}

/** For node-exporter (kube/base/node-exporter), which reads this file. */
async function report(last: RolledBack | undefined, file: string): Promise<void> {
  const id = last?.push.replaceAll(/[^\w.:-]/g, '_');
  const at = Date.parse(last?.at ?? '') / 1000;
  const line = `node_skolo_push_rolled_back_timestamp_seconds{push="${id}"} ${at}\n`;
  await writeFileAtomic(file, last === undefined ? '' : line, { mode: 0o644 });
}
