/**
 * Decides the order in which a push updates a rack: workload by workload, canary machines first; how long it waits for each, and how
 * long pods must stay ready (soak). Every step can be repeated: an interrupted rollout starts again with the same result.
 */
import { count, pause } from '@skolo/base';
import { z } from 'zod';
import { FleetError } from '../errors.ts';
import { type RackHealth, readHealth } from '../survey/rack-health.ts';
import { judge, type PodVerdict, type Verdict } from './gate.ts';
import { untilAsHealthy } from './health-gate.ts';
import { platformOf } from './images.ts';
import { isWorkload, type KubeObject, keyOf, templateOf, titleOf } from './objects.ts';
import { isDeletable, type ObjectPlan, type RackPlan } from './plan.ts';
import {
  applyObjects,
  deleteObjects,
  readForGate,
  readLive,
  readNodes,
  readSilent,
} from './rack.ts';
import {
  type ServiceDeps,
  type ServiceState,
  stateBefore,
  untilServiceIsWell,
} from './service-state.ts';
import { mostLosses, namesText } from './worsened.ts';

export interface RolloutTimes {
  /** Between two checks of the pods. */
  pollMs: number;
  /** Time for a new pod to become ready. */
  readyMs: number;
  /** Everything must stay healthy for this long. */
  soakMs: number;
}

/** `patienceMs`: for a jumphost that cannot be reached meanwhile. */
export const usualTimes = { pollMs: 2_000, readyMs: 300_000, patienceMs: 300_000 };

export interface Rollout extends Pick<ServiceDeps, 'rack' | 'signal' | 'report'> {
  plan: RackPlan;
  /** Number of machines of each DaemonSet that receive a new version first. */
  canaries: number;
  times: RolloutTimes;
  /** What `readRackHealth` returned before the first change, even if the push was interrupted since. */
  health?: string | undefined;
}

/** A rollout that has begun. */
interface Begun extends Rollout {
  /** As returned by `performance.now()`. */
  start: number;
  /** Before it began; undefined: not compared. */
  nodes?: readonly KubeObject[];
  /** Losses of machines in the last week. */
  losses?: number | undefined;
  /** Since when machines have been silent; undefined: they respond again. */
  silentSince: Map<string, number | undefined>;
}

/** A changing workload, and the machines on which it is monitored. */
interface Watched {
  workload: KubeObject;
  nodes?: ReadonlySet<string>;
  /** What its pods reported; undefined: they cannot be queried. */
  before?: ServiceState[] | undefined;
}

/**
 * Applies the differences: first all objects without pods, then each Deployment, then each DaemonSet with its canaries. Ends when
 * all pods on machines that responded before are ready and stay ready.
 *
 * @throws FleetError With the pods and causes. The rack then runs a mix of versions.
 */
export async function rollOut(given: Rollout): Promise<void> {
  const { rack, plan, report } = given;
  const changed = changedIn(plan);
  if (changed.length === 0) return;
  const workloads = changed.map(({ wanted }) => wanted).filter(isWorkload);
  const others = changed.map(({ wanted }) => wanted).filter((object) => !isWorkload(object));
  const health = given.health === undefined ? undefined : readHealth(given.health);
  const rollout: Begun = {
    ...given,
    start: performance.now(),
    nodes: await readNodes(rack),
    losses: health?.losses,
    silentSince: new Map(),
  };
  const watched: Watched[] = [];
  for (const workload of workloads) {
    const before = await stateBefore(workload, () => readyPods({ workload }, rollout), rollout);
    watched.push({ workload, before });
  }
  if (others.length > 0) report(`applying ${count(others.length, 'object')} without pods`);
  await applyObjects(rack, others);
  for (const each of watched.toSorted((a, b) => rankOf(a.workload) - rankOf(b.workload))) {
    const { workload } = each;
    const isNew = changed.some(({ wanted, before }) => wanted === workload && !before);
    if (workload.kind === 'DaemonSet' && !isNew) await rollOutCanaries(each, rollout);
    const roomy = await withRoom(workload, rollout);
    await applyObjects(rack, [roomy]);
    await untilReady(each, rollout);
    if (roomy !== workload) await applyObjects(rack, [workload]);
  }
  await soak(watched, health, rollout);
}

/**
 * Rolls a rack back to what it ran before a plan.
 *
 * @throws FleetError It runs the earlier version and is unhealthy, or deleted objects cannot be restored.
 */
export async function rollBack(rollout: Rollout): Promise<void> {
  const { rack, report } = rollout;
  // Machines that stopped responding meanwhile cannot run it, and must not block the others.
  const plan = { ...rollout.plan, silent: [...rollout.plan.silent, ...(await readSilent(rack))] };
  const changed = changedIn(plan);
  const before = changed.flatMap((each) => (each.before ? [each.before] : []));
  const created = changed.filter((each) => each.before === undefined).map(({ wanted }) => wanted);
  report(`rolling back ${count(before.length, 'object')}`);
  const begun = { ...rollout, plan, start: performance.now(), silentSince: new Map() };
  const roomy: KubeObject[] = [];
  for (const object of before) roomy.push(await withRoom(object, begun));
  await applyObjects(rack, roomy);
  await deleteObjects(rack, created.filter(isDeletable));
  await recreate(rollout);
  for (const workload of [...before, ...plan.deletions].filter(isWorkload)) {
    // Workloads that were down before the push are down again.
    const wasDown =
      workload.kind === 'Deployment' && plan.unhealthy.some(({ key }) => key === keyOf(workload));
    if (!wasDown) await untilReady({ workload }, begun);
  }
  const widened = before.filter((object) => !roomy.includes(object));
  await applyObjects(rack, widened);
}

/** Restores objects that the push deleted. Some are still being deleted, and must be gone first. */
async function recreate({ rack, plan: { deletions }, times, signal }: Rollout): Promise<void> {
  const start = performance.now();
  for (;;) {
    await applyObjects(rack, deletions);
    const live = await readLive(rack, deletions);
    const ending = live.filter(({ metadata }) => metadata.deletionTimestamp !== undefined);
    if (ending.length === 0) return;
    if (performance.now() - start > times.readyMs) {
      const titles = ending.map(titleOf).join(', ');
      throw new FleetError(`still being deleted, so they cannot be restored: ${titles}`);
    }
    await pause(times.pollMs, signal);
  }
}

/** Deletes objects that were removed from the overlay. */
export async function prune({ rack, plan, report }: Rollout): Promise<void> {
  if (plan.deletions.length === 0) return;
  report(`deleting ${count(plan.deletions.length, 'object')} that the overlay no longer contains`);
  await deleteObjects(rack, plan.deletions);
}

function changedIn({ objects }: RackPlan): ObjectPlan[] {
  return objects.filter(({ action }) => action !== 'keep');
}

/** Deployments first: the jumphost serves the machines. Then the agents of the `canary` component. */
function rankOf({ kind, metadata }: KubeObject): number {
  if (kind === 'Deployment') return 0;
  return metadata.labels?.['app.kubernetes.io/instance'] === 'canary' ? 1 : 2;
}

/** Updates some machines of each platform and leaves the others alone. */
async function rollOutCanaries({ workload, before }: Watched, rollout: Begun): Promise<void> {
  const { rack, plan, canaries, report } = rollout;
  const excused = excusedIn(plan, workload);
  const { pods } = await judgeWorkload({ workload }, rollout);
  const machines = pods
    .filter(({ node, state }) => !excused.has(node) && state !== 'dead')
    .map(({ node }) => node);
  const platforms = new Map(rollout.nodes?.map((node) => [node.metadata.name, platformOf(node)]));
  const alike = [...Map.groupBy(machines, (node) => platforms.get(node)).values()];
  // One machine of a platform is left for comparison, unless it is the only one.
  const share = (all: readonly string[]) => Math.min(canaries, Math.max(1, all.length - 1));
  const nodes = new Set(alike.flatMap((all) => all.slice(0, share(all))));
  if (nodes.size === 0) return;
  // With this strategy the controller replaces only pods that are deleted.
  await applyObjects(rack, [withStrategy(workload, { type: 'OnDelete' })]);
  const canary = { workload, before, nodes };
  for (let added = [...nodes]; added.length > 0; ) {
    report(`${titleOf(workload)}: updating ${added.join(', ')} first`);
    await deletePods(
      await oldPods({ workload, nodes: new Set(added) }, rollout),
      workload,
      rollout,
    );
    await untilReady(canary, rollout);
    await stayReady([canary], rollout);
    await untilWell(canary, rollout);
    // Only what has survived the soak shows that the version works. A canary that is silent by now is lost or returns.
    const verdict = await untilReady(canary, rollout);
    added = alike.flatMap((all) => furtherCanary(all, verdict, nodes));
    for (const node of added) nodes.add(node);
  }
  const rest = machines.length - nodes.size;
  if (rest > 0) report(`${titleOf(workload)}: updating ${count(rest, 'more machine')}`);
}

/**
 * A machine that shows whether the new version caused the loss of all canaries of a platform. Losses by chance are tolerated among
 * machines that confirmed the version before, never among those that confirm it.
 *
 * @throws FleetError There is none.
 */
function furtherCanary(
  machines: readonly string[],
  verdict: Verdict,
  nodes: ReadonlySet<string>,
): string[] {
  const pods = verdict.pods.filter(({ node }) => machines.includes(node));
  if (pods.some(({ state }) => state === 'ready') || pods.every(({ state }) => state !== 'lost')) {
    return [];
  }
  const next = machines.find((node) => !nodes.has(node));
  if (next === undefined)
    throw new FleetError(`no other machine is like it: ${problemText(verdict)}`);
  return [next];
}

/** Pods of earlier versions, as soon as the controller has processed the new one. */
async function oldPods(watched: Watched, rollout: Begun): Promise<string[]> {
  for (;;) {
    const { pods } = await judgeWorkload(watched, rollout);
    if (pods.length > 0) return pods.filter(({ state }) => state === 'old').map(({ pod }) => pod);
    await pause(rollout.times.pollMs, rollout.signal);
  }
}

/** They finish their tasks first. */
async function deletePods(
  names: readonly string[],
  { metadata: { namespace } }: KubeObject,
  { rack }: Rollout,
): Promise<void> {
  const metadata = namespace === undefined ? {} : { namespace };
  const pods = names.map((name) => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { ...metadata, name },
  }));
  await deleteObjects(rack, pods);
}

const RollingUpdate = z.object({
  updateStrategy: z.object({
    rollingUpdate: z.object({ maxUnavailable: z.string().regex(/^\d+%$/) }),
  }),
});

/**
 * A DaemonSet that may update its share of machines at the same time in addition to those that do not respond, which would
 * otherwise use up the share.
 */
async function withRoom(workload: KubeObject, rollout: Begun): Promise<KubeObject> {
  const strategy = RollingUpdate.safeParse(workload.spec).data?.updateStrategy;
  if (workload.kind !== 'DaemonSet' || strategy === undefined) return workload;
  const excused = excusedIn(rollout.plan, workload);
  const { pods } = await judgeWorkload({ workload }, rollout);
  const down = pods.filter(
    ({ node, state }) => excused.has(node) || ['dead', 'silent', 'lost'].includes(state),
  ).length;
  if (down === 0) return workload;
  const share = Number.parseInt(strategy.rollingUpdate.maxUnavailable, 10) / 100;
  const maxUnavailable = Math.ceil(share * pods.length) + down;
  return withStrategy(workload, { type: 'RollingUpdate', rollingUpdate: { maxUnavailable } });
}

function withStrategy(object: KubeObject, updateStrategy: object): KubeObject {
  const spec = z.looseObject({}).parse(object.spec);
  return { ...object, spec: { ...spec, updateStrategy } };
}

/** @throws FleetError A pod failed, or no further pod became ready in time. */
async function untilReady(watched: Watched, rollout: Begun): Promise<Verdict> {
  const { times, signal, report } = rollout;
  const title = titleOf(watched.workload);
  const graceMs = templateOf(watched.workload).spec.terminationGracePeriodSeconds * 1000;
  let start = performance.now();
  let most = 0;
  let said = '';
  for (;;) {
    const verdict = await judgeWorkload(watched, rollout);
    const { state, pods, cause } = verdict;
    const text = progressText(verdict);
    if (text !== said) report(`${title}: ${text}`);
    said = text;
    if (state === 'ready') return verdict;
    if (state === 'unseen') {
      report(`${title}: not verified, because none of its machines was healthy before the push`);
      return verdict;
    }
    const are = (...states: PodVerdict['state'][]) =>
      pods.filter((pod) => states.includes(pod.state)).length;
    // Machines receive a new version one part after another.
    if (are('ready') > most) start = performance.now();
    most = Math.max(most, are('ready'));
    const limitMs = times.readyMs + (are('draining') > 0 ? graceMs : 0);
    // Silent machines become lost.
    const isWaiting = are('silent') === 0 || are('old', 'draining', 'waiting') > 0 || cause;
    const isLate = isWaiting && performance.now() - start > limitMs;
    if (state === 'failed' || isLate) {
      const late = state === 'failed' ? '' : `not ready after ${Math.round(limitMs / 1000)} s: `;
      throw new FleetError(`${title}: ${late}${problemText(verdict)}`);
    }
    await pause(times.pollMs, signal);
  }
}

/** @throws FleetError A workload is no longer healthy, or alerts and machines are worse than before. */
async function soak(
  watched: readonly Watched[],
  before: RackHealth | undefined,
  rollout: Begun,
): Promise<void> {
  if (watched.length > 0) rollout.report(`watching for ${rollout.times.soakMs / 1000} s`);
  await stayReady(watched, rollout);
  for (const each of watched) await untilWell(each, rollout);
  if (before) await untilAsHealthy(before, rollout);
}

/** @throws FleetError Its pods are ready, but report a problem. */
async function untilWell(watched: Watched, rollout: Begun): Promise<void> {
  const { workload, before } = watched;
  await untilServiceIsWell(workload, before, () => readyPods(watched, rollout), rollout);
}

async function readyPods(watched: Watched, rollout: Begun): Promise<string[]> {
  const { pods } = await judgeWorkload(watched, rollout);
  return pods.filter(({ state }) => state === 'ready').map(({ pod }) => pod);
}

async function stayReady(watched: readonly Watched[], rollout: Begun): Promise<void> {
  const { times, signal } = rollout;
  const start = performance.now();
  const restarts = new Map<string, number>();
  for (;;) {
    for (const each of watched) {
      const verdict = await judgeWorkload(each, rollout);
      for (const { pod, restarts: count } of verdict.pods) {
        const before = restarts.get(pod) ?? count;
        restarts.set(pod, before);
        if (count > before) throw lost(each, `${pod} restarted`);
      }
      if (verdict.state === 'ready' || verdict.state === 'unseen') continue;
      // A machine that reboots after its task returns.
      const isBack = ({ node, state }: PodVerdict) =>
        state !== 'ready' && rollout.silentSince.has(node);
      if (!verdict.pods.some(isBack)) throw lost(each, problemText(verdict));
      await untilReady(each, rollout);
    }
    const leftMs = times.soakMs - (performance.now() - start);
    if (leftMs <= 0) return;
    await pause(Math.min(times.pollMs, leftMs), signal);
  }
}

function lost({ workload }: Watched, why: string): FleetError {
  return new FleetError(`${titleOf(workload)}: no longer ready: ${why}`);
}

/** @throws FleetError A node was deleted. */
async function judgeWorkload({ workload, nodes }: Watched, rollout: Begun): Promise<Verdict> {
  const { rack, plan, times, start, losses, silentSince } = rollout;
  const { name, namespace } = workload.metadata;
  const objects = await readForGate(rack, namespace);
  const left = objects.filter(({ kind }) => kind === 'Node').map(({ metadata }) => metadata.name);
  const all = rollout.nodes?.map(({ metadata }) => metadata.name) ?? [];
  const deleted = all.filter((node) => !left.includes(node));
  if (deleted.length > 0) throw new FleetError(`Node ${deleted.join(', ')} was deleted`);
  const excused = workload.kind === 'DaemonSet' ? excusedIn(plan, workload) : new Set<string>();
  const now = performance.now();
  const isLost = ([, since = now]: [string, number | undefined]) => now - since > times.readyMs;
  const lost = new Set([...silentSince].filter(isLost).map(([node]) => node));
  const mostLost = (machines: number) => mostLosses(machines, (now - start) / 1000, losses);
  const verdict = judge({ kind: workload.kind, name }, objects, { nodes, excused, lost, mostLost });
  for (const { node, state } of verdict.pods) {
    const isSilent = state === 'silent' || state === 'lost';
    if (isSilent) silentSince.set(node, silentSince.get(node) ?? now);
    else if (state !== 'dead' && silentSince.has(node)) silentSince.set(node, undefined);
  }
  return verdict;
}

/** Machines that did not respond before the push, or on which a workload was unhealthy. */
function excusedIn({ unhealthy, silent }: RackPlan, workload: KubeObject): ReadonlySet<string> {
  const key = keyOf(workload);
  const own = unhealthy.filter((each) => each.key === key).map(({ node }) => node);
  return new Set([...silent, ...own]);
}

/** `3 of 5 ready, 1 finishes its work, rpi-004: its machine is not responding` */
export function progressText({ pods, cause }: Verdict): string {
  const ready = pods.filter(({ state }) => state === 'ready').length;
  const rest = problems(pods.filter(({ state }) => state !== 'ready'));
  return [`${ready} of ${pods.length} ready`, ...rest, ...(cause ? [cause] : [])].join(', ');
}

/** The problems of a verdict, for an error. */
export function problemText({ pods, cause }: Verdict): string {
  const failed = pods.filter(({ state }) => state === 'failed');
  const unready = pods.filter(({ state }) => !['ready', 'dead', 'unhealthy'].includes(state));
  const shown = problems(failed.length > 0 ? failed : unready);
  return [...shown, ...(cause ? [cause] : [])].join(', ') || 'not ready';
}

/** Pods with the same problem are one text: `rpi-001, rpi-002 (and 38 more): crashes`. */
function problems(pods: readonly PodVerdict[]): string[] {
  const byCause = Map.groupBy(pods, ({ cause, state }) => cause || `runs the ${state} version`);
  return [...byCause].map(([cause, all]) => {
    return `${namesText(all.map(({ node }) => node))}: ${cause}`;
  });
}
