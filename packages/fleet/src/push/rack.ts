/** Reads and changes a rack's cluster, with retries; decides what others have changed meanwhile (`changedByOthers`). */
import { errorText, pause } from '@skolo/base';
import { z } from 'zod';
import { FleetError } from '../errors.ts';
import { isRejected, type Kubectl } from '../way/kubectl.ts';
import type { FieldChange } from './field-set.ts';
import { deadNodes, gateKinds, isUnhealthy, judge } from './gate.ts';
import { leaveHeld } from './held.ts';
import { isWorkload, type KubeObject, keyOf, listText, readAnswer, titleOf } from './objects.ts';
import {
  adopted,
  deletableKinds,
  fieldManager,
  leftOvers,
  type ObjectPlan,
  ownPart,
  planObject,
  type RackPlan,
  writtenAfterUs,
} from './plan.ts';
import { namesText } from './worsened.ts';

/** A rack that can be reached. */
export interface Rack {
  name: string;
  kubectl: Kubectl;
}

/** The same rack, whose commands end with the signal. */
export function stoppable({ name, kubectl }: Rack, signal: AbortSignal): Rack {
  return { name, kubectl: (args, options) => kubectl(args, { signal, ...options }) };
}

const changing = new Set(['apply', 'delete', 'create', 'replace', 'annotate']);

/** The same rack, of which `confirm` makes sure before each change that this process may still change it. */
export function confirmed({ name, kubectl }: Rack, confirm: () => Promise<void>): Rack {
  return {
    name,
    async kubectl(args, options) {
      if (changing.has(args[0] ?? '') && !args.includes('--dry-run=server')) await confirm();
      return await kubectl(args, options);
    },
  };
}

/** The API server rejects unknown fields in a server-side apply, and without a schema, kubectl takes a tenth of the time. */
const apply = [
  'apply',
  '--server-side',
  '--force-conflicts',
  `--field-manager=${fieldManager}`,
  '--validate=ignore',
  '-f',
  '-',
];

/**
 * Compares an overlay with what the rack runs. Changes only the owner of objects that an earlier
 * `kubectl apply` made.
 *
 * @param isDry does not even change that, so fields of such objects that were removed from the overlay are not detected
 */
export async function planRack(
  rack: Rack,
  rendered: readonly KubeObject[],
  { isDry = false }: { isDry?: boolean } = {},
): Promise<RackPlan> {
  const live = byKey(isDry ? await readLive(rack, rendered) : await adopt(rack, rendered));
  const { wanted, held } = leaveHeld(rendered, live);
  rejectEnding(rack.name, live.values());
  const objects = await planObjects(rack, wanted, live);
  return {
    objects,
    deletions: leftOvers(await readDeletable(rack), wanted).map(ownPart),
    unhealthy: await readUnhealthy(rack, objects),
    silent: await readSilent(rack),
    held,
  };
}

const Ending = z.object({
  spec: z.object({ finalizers: z.array(z.string()).default([]) }).prefault({}),
  status: z
    .object({
      conditions: z
        .array(z.object({ status: z.string(), message: z.string().default('') }))
        .default([]),
    })
    .prefault({}),
});

/** The API server accepts changes to objects that disappear afterwards. @throws FleetError */
function rejectEnding(rack: string, live: Iterable<KubeObject>): void {
  const ending = [...live].flatMap((object) => {
    const { deletionTimestamp: since, finalizers = [] } = object.metadata;
    if (since === undefined) return [];
    const { spec, status } = Ending.parse(object);
    const waits = [...finalizers, ...spec.finalizers].join(', ');
    const why = status.conditions.flatMap((each) => (each.status === 'True' ? each.message : []));
    return [`${titleOf(object)} (since ${since}, waiting for ${[waits, ...why].join('; ')})`];
  });
  if (ending.length === 0) return;
  throw new FleetError(
    `${rack}: ${ending.join(', ')} is being deleted; wait until it is gone, or remove the cause, and push again`,
  );
}

/**
 * The differences of these objects, from a server-side dry run.
 *
 * @param live by key, with managedFields
 */
async function planObjects(
  rack: Rack,
  wanted: readonly KubeObject[],
  live: ReadonlyMap<string, KubeObject>,
): Promise<ObjectPlan[]> {
  const missing = new Set(
    wanted
      .filter((each) => each.kind === 'Namespace' && !live.has(keyOf(each)))
      .map(({ metadata }) => metadata.name),
  );
  // The API server cannot plan objects in a namespace that does not exist.
  const possible = wanted.filter(({ metadata }) => !missing.has(metadata.namespace ?? ''));
  const planned = byKey(await dryRun(rack, possible));
  return wanted.map((object) => {
    const key = keyOf(object);
    return planObject(object, live.get(key), planned.get(key));
  });
}

/**
 * Objects of a push that somebody else has changed or deleted since, one text each: `Deployment skolo/service: kubectl-set changed
 * spec.replicas`.
 *
 * @param isApplied everything is as the push wants it, unless somebody else has changed it; otherwise, some of it may not be applied yet
 */
export async function changedByOthers(
  rack: Rack,
  { objects }: RackPlan,
  isApplied: boolean,
): Promise<string[]> {
  const all = objects.map(({ wanted }) => wanted);
  const live = byKey(await readLive(rack, all));
  const now = await planObjects(rack, leaveHeld(all, live).wanted, live);
  return now.flatMap(({ key, wanted, changes, setBack }, at) => {
    const { action, setBack: known = [] } = objects[at] ?? {};
    const found = live.get(key);
    const title = titleOf(wanted);
    if (found === undefined)
      return isApplied || action !== 'create' ? [`${title} was deleted`] : [];
    const isNew = ({ path, writtenBy }: FieldChange) =>
      !known.some((each) => each.path === path && each.writtenBy === writtenBy);
    const later = action === 'keep' ? [] : writtenAfterUs(found);
    const fields = [...(isApplied ? [...setBack, ...changes] : setBack.filter(isNew)), ...later];
    // Nobody owns a field that was removed.
    const usual = later[0]?.writtenBy ?? 'somebody';
    const byManager = Map.groupBy(fields, ({ writtenBy = usual }) => writtenBy);
    return [...byManager].map(([manager, all]) => {
      const paths = namesText([...new Set(all.map(({ path }) => path))]);
      return `${title}: ${manager} changed ${paths}`;
    });
  });
}

/** Applies those objects that differ, and returns them. */
export async function applyChanges(
  rack: Rack,
  wanted: readonly KubeObject[],
): Promise<KubeObject[]> {
  const live = byKey(await readLive(rack, wanted));
  const planned = await planObjects(rack, wanted, live);
  const changed = planned.filter(({ action }) => action !== 'keep').map((each) => each.wanted);
  await applyObjects(rack, changed);
  return changed;
}

/** Retried, because controllers write the same objects. @returns their current state */
async function adopt(
  rack: Rack,
  wanted: readonly KubeObject[],
  attempts = 5,
): Promise<KubeObject[]> {
  const live = await readLive(rack, wanted);
  const objects = live.flatMap((object) => adopted(object) ?? []);
  if (objects.length === 0 || attempts === 0) return live;
  try {
    await rack.kubectl(['replace', '-f', '-', '-o', 'name'], { input: listText(objects) });
  } catch (error) {
    if (!isRejected(error, 'Conflict') || attempts <= 1) throw error;
  }
  return await adopt(rack, wanted, attempts - 1);
}

function byKey(objects: readonly KubeObject[]): ReadonlyMap<string, KubeObject> {
  return new Map(objects.map((object) => [keyOf(object), object]));
}

async function dryRun({ kubectl }: Rack, objects: readonly KubeObject[]): Promise<KubeObject[]> {
  if (objects.length === 0) return [];
  const args = [...apply, '--dry-run=server', '--show-managed-fields', '-o', 'json'];
  return readAnswer(await kubectl(args, { input: listText(objects), deadlineMs: 120_000 }));
}

/** Pods of changing workloads that are unhealthy now. */
async function readUnhealthy(
  rack: Rack,
  objects: readonly ObjectPlan[],
): Promise<RackPlan['unhealthy']> {
  const changing = objects
    .filter(({ action }) => action === 'change')
    .map(({ wanted }) => wanted)
    .filter(isWorkload);
  const byNamespace = Map.groupBy(changing, ({ metadata }) => metadata.namespace ?? '');
  const unhealthy: RackPlan['unhealthy'] = [];
  for (const [namespace, workloads] of byNamespace) {
    const now = await readForGate(rack, namespace);
    for (const workload of workloads) {
      const { kind, metadata } = workload;
      const { pods } = judge({ kind, name: metadata.name }, now);
      const key = keyOf(workload);
      unhealthy.push(...pods.filter(isUnhealthy).map(({ node, cause }) => ({ key, node, cause })));
    }
  }
  return unhealthy;
}

/** Those of these objects that exist, with managedFields. */
export async function readLive(rack: Rack, wanted: readonly KubeObject[]): Promise<KubeObject[]> {
  if (wanted.length === 0) return [];
  const args = ['-f', '-', '--ignore-not-found', '--show-managed-fields'];
  return await getObjects(rack, args, listText(wanted));
}

async function readDeletable(rack: Rack): Promise<KubeObject[]> {
  const served = new Set(
    (await rack.kubectl(['api-resources', '--no-headers', '--verbs=delete,list']))
      .split('\n')
      .flatMap((line) => {
        // NAME SHORTNAMES APIVERSION NAMESPACED KIND
        const [kind = '', , version = ''] = line.trim().split(/\s+/).toReversed();
        return kind === '' ? [] : [`${version}/${kind}`];
      }),
  );
  const kinds = deletableKinds
    .filter((kind) => served.has(kind))
    .map((text) => {
      const [kind = '', version = '', group] = text.split('/').toReversed();
      return group === undefined ? kind : `${kind}.${version}.${group}`;
    });
  return await getLabeled(rack, kinds, 'app.kubernetes.io/part-of=skolo');
}

export async function applyObjects(
  { kubectl }: Rack,
  objects: readonly KubeObject[],
): Promise<void> {
  if (objects.length === 0) return;
  await kubectl([...apply, '-o', 'name'], {
    input: listText(objects),
    deadlineMs: 120_000,
  });
}

/** Deletes objects without waiting for the deletion to finish. */
export async function deleteObjects(
  { kubectl }: Rack,
  objects: readonly KubeObject[],
): Promise<void> {
  if (objects.length === 0) return;
  const input = listText(
    objects.map(({ apiVersion, kind, metadata: { name, namespace } }) => ({
      apiVersion,
      kind,
      metadata: { name, ...(namespace !== undefined && { namespace }) },
    })),
  );
  await kubectl(['delete', '-f', '-', '--ignore-not-found', '--wait=false'], { input });
}

/** What `kubectl get` finds. @param input for `-f -` */
export async function getObjects(
  { kubectl }: Rack,
  args: readonly string[],
  input = '',
): Promise<KubeObject[]> {
  return readAnswer(await kubectl(['get', ...args, '-o', 'json'], { input }));
}

/** Objects of these kinds with a label, in all namespaces, with managedFields. */
export async function getLabeled(
  rack: Rack,
  kinds: readonly string[],
  selector: string,
): Promise<KubeObject[]> {
  const args = [kinds.join(','), '-A', '-l', selector, '--show-managed-fields'];
  return await getObjects(rack, args);
}

/** Everything that a gate reads in one namespace. */
export async function readForGate(rack: Rack, namespace = ''): Promise<KubeObject[]> {
  return await getObjects(rack, [gateKinds.join(','), '-n', namespace]);
}

/** Machines that do not respond. */
export async function readSilent(rack: Rack): Promise<string[]> {
  return [...deadNodes(await readNodes(rack))];
}

export async function readNodes(rack: Rack): Promise<KubeObject[]> {
  return await getObjects(rack, ['nodes']);
}

/**
 * The same rack with retries: requests that fail because it is unreachable are repeated. Only for requests that may be made
 * twice, as all of push's may.
 */
export function patient(
  { name, kubectl }: Rack,
  {
    patienceMs,
    pollMs,
    signal,
    report,
  }: { patienceMs: number; pollMs: number; signal: AbortSignal; report(text: string): void },
): Rack {
  return {
    name,
    async kubectl(args, options) {
      const start = performance.now();
      let isReported = false;
      for (;;) {
        try {
          return await kubectl(args, { signal, ...options });
        } catch (error) {
          const isOver = performance.now() - start > patienceMs;
          if (!isRejected(error, 'Unreachable') || isOver) throw error;
          if (!isReported) report(`unreachable, retrying: ${errorText(error)}`);
          isReported = true;
          await pause(pollMs, signal);
        }
      }
    },
  };
}
