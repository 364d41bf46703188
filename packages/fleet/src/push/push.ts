/** Pushes to many racks in stages, and decides when a rack is rolled back, and when the others are stopped. */
import { errorText, inOrder, inParallel } from '@skolo/base';
import { FleetError } from '../errors.ts';
import { isRejected } from '../way/kubectl.ts';
import type { CarryDeps } from './carry-images.ts';
import { readRackHealth } from './health-gate.ts';
import { type NeededImage, neededImages } from './images.ts';
import { type HeldLease, holdLease, type Last, type LeaseTimes, readLease } from './lease.ts';
import { kustomizationOf, type Preparation, prepareRack } from './prepare.ts';
import { changedByOthers, confirmed, patient, type Rack, readNodes, stoppable } from './rack.ts';
import { hasEnded, newRecord, type RackRecord, type Records, type Request } from './record.ts';
import { commitFile, type Repository } from './repository.ts';
import { prune, type Rollout, type RolloutTimes, rollBack, rollOut } from './rollout.ts';
import { inStages, racksAtOnce } from './stages.ts';
import { leaveUnfinished, readUnfinished, removeUnfinished } from './unfinished.ts';
import { type Pin, withPins } from './versions.ts';

/** A rack that is open until `close`. */
export interface OpenedRack extends Rack {
  /** Copies images to it; absent: it pulls them. */
  carry?(
    images: readonly NeededImage[],
    deps: Pick<CarryDeps, 'signal' | 'report' | 'patienceMs'>,
  ): Promise<void>;
  close(): Promise<void>;
}

export interface PushDeps {
  repository: Repository;
  records: Records;
  /** @throws An error that says what to do. */
  open(rack: string, signal: AbortSignal): Promise<OpenedRack>;
  /** Racks of one stage change at the same time. */
  stages: readonly (readonly string[])[];
  /** This computer, its user and this process. */
  workstation: { name: string; pid: number; isAlive(pid: number): boolean };
  times: Omit<RolloutTimes, 'soakMs'> & { lease?: LeaseTimes; patienceMs: number };
  signal: AbortSignal;
  now(): number;
  report(rack: string, text: string): void;
}

/** A rack of a prepared push. */
export interface PreparedRack {
  name: string;
  /** Absent: see `problem`. */
  preparation?: Preparation;
  problem?: Error;
}

export interface PreparedPush {
  racks: PreparedRack[];
  /**
   * Changes the racks, stage after stage.
   *
   * @returns the result of each rack
   */
  run(): Promise<RackRecord[]>;
  /** Stops changing the rack, and releases what it holds. */
  close(): Promise<void>;
}

interface Run {
  name: string;
  opened?: OpenedRack;
  lease?: HeldLease;
  record: RackRecord;
  problem?: Error;
  /** This process no longer changes it. */
  isOver?: boolean;
}

/**
 * Opens all racks, acquires their leases, and determines what would change. Changes nothing.
 *
 * A recorded request is resumed: finished racks stay as they are, and the others continue where they stopped.
 *
 * @param isDry does not acquire leases, and cannot run
 */
export async function preparePush(
  request: Request,
  deps: PushDeps,
  { isDry = false }: { isDry?: boolean } = {},
): Promise<PreparedPush> {
  const { records, signal } = deps;
  const saved = isDry ? undefined : await records.read(request.id);
  const runs = request.racks.map(
    (name): Run => ({
      name,
      record:
        saved?.racks.find(({ rack }) => rack === name) ??
        newRecord(name, new Date(deps.now()).toISOString()),
    }),
  );
  await inParallel(
    runs.filter(({ record }) => !hasEnded(record)),
    racksAtOnce,
    async (run) => {
      try {
        await prepare(run, request, deps, isDry);
      } catch (error) {
        signal.throwIfAborted();
        run.problem = error instanceof Error ? error : new Error(String(error));
      }
    },
  ).catch(async (error: unknown) => {
    await closeAll(runs);
    throw error;
  });
  return {
    racks: runs.map(({ name, record: { plan, pins, previous }, problem }) => ({
      name,
      ...(plan && { preparation: { plan, pins, previous } }),
      ...(problem && { problem }),
    })),
    run: () => runAll(runs, request, deps),
    close: () => closeAll(runs),
  };
}

async function prepare(run: Run, request: Request, deps: PushDeps, isDry: boolean): Promise<void> {
  const { repository, signal } = deps;
  run.opened = await deps.open(run.name, signal);
  if (!isDry) run.lease = await takeLease(run.opened, `push ${request.id}`, deps);
  const { last, rolledBack } = run.lease ?? (await readLease(run.opened.kubectl, signal));
  const { plan, after, state } = run.record;
  const isCurrent = last?.id === after;
  if (state !== 'waiting') {
    // A resumed push keeps the plan, whose `before` is what the rack ran before anything was changed.
    const left = await readUnfinished(run.opened.kubectl, signal);
    const isLeft = left?.request.id === request.id || state === 'committing';
    if (last?.id === request.id) run.record = { ...run.record, state: 'done', commit: last.commit };
    else if (!isCurrent || !isLeft) {
      const fallback = rolledBack?.push === request.id && `skolo-fallback, at ${rolledBack.at}`;
      const why = `ended by ${fallback || 'another workstation'}`;
      run.record = { ...run.record, state: 'rolled-back', why };
    }
  } else if (plan === undefined || !isCurrent) {
    const opened = run.lease ? confirmed(run.opened, run.lease.confirm) : run.opened;
    const rack = stoppable(opened, signal);
    const preparation = await prepareRack(rack, repository, request, last, signal, { isDry });
    run.record = { ...run.record, ...preparation, ...(last && { after: last.id }) };
  }
}

/**
 * @param work for people: `push 2026-11-21T18-10-19Z`. The same work on this workstation may continue with it.
 * @throws FleetError Somebody else changes the rack, or another push is unfinished on it.
 */
export async function takeLease(
  { name, kubectl }: Rack,
  work: string,
  {
    workstation,
    signal,
    times,
    now,
  }: Pick<PushDeps, 'workstation' | 'signal' | 'now'> & { times: { lease?: LeaseTimes } },
): Promise<HeldLease> {
  const mine = `${workstation.name}, ${work}, process `;
  const holder = `${mine}${workstation.pid}`;
  const { request } = (await readUnfinished(kubectl, signal)) ?? {};
  if (request !== undefined && work !== `push ${request.id}`) {
    const how = `run skolo push resume ${request.id}, or skolo push resume ${request.id} --back`;
    throw new FleetError(`${name}: push ${request.id} by ${request.by} is unfinished; ${how}`);
  }
  try {
    return await holdLease(kubectl, holder, {
      rack: name,
      signal,
      now,
      ...(times.lease && { times: times.lease }),
      // A killed process on this workstation does not return.
      mayTake: (other) =>
        other.startsWith(mine) && !workstation.isAlive(Number(other.slice(mine.length))),
    });
  } catch (cause) {
    if (!isRejected(cause, 'NotFound')) throw cause;
    const how = `skolo kubectl --role admin ${name} apply -k kube/base/namespaces`;
    throw new FleetError(`${name}: the skolo namespace does not exist yet; create it with ${how}`, {
      cause,
    });
  }
}

async function runAll(
  runs: readonly Run[],
  request: Request,
  deps: PushDeps,
): Promise<RackRecord[]> {
  const { records, stages } = deps;
  await records.create(request);
  for (const { record } of runs) await records.save(request.id, record);
  const commits = inOrder();
  try {
    const how = { stages, onFailure: request.onFailure, hasFailed, signal: deps.signal };
    await inStages(runs, how, async (run, failed) => {
      if (hasEnded(run.record)) return;
      const isNew = run.record.state === 'waiting';
      const why = isNew && failed ? `${failed.name} failed` : run.problem && errorText(run.problem);
      if (why === undefined) await runRack(run, request, deps, commits);
      else await save(run, request, deps, { why, ...(isNew && { state: 'not-begun' as const }) });
      run.isOver = true;
    });
  } finally {
    await closeAll(runs);
  }
  return runs.map(({ record }) => record);
}

/** In this push, or before it was interrupted. */
function hasFailed({ isOver, record: { state } }: Run): boolean {
  if (state === 'rolled-back' || state === 'broken') return true;
  return isOver === true && state !== 'done';
}

async function runRack(
  run: Run,
  request: Request,
  deps: PushDeps,
  commits: <T>(work: () => Promise<T>) => Promise<T>,
): Promise<void> {
  const { opened, lease, name } = run;
  if (!opened || !lease || !run.record.plan) throw new Error(`${name} was not prepared`);
  const { times } = deps;
  const signal = AbortSignal.any([deps.signal, lease.signal]);
  const report = (text: string) => deps.report(name, text);
  const rollout: Rollout = {
    rack: patient(confirmed(opened, lease.confirm), { ...times, signal, report }),
    plan: run.record.plan,
    canaries: request.canaries,
    times: { ...times, soakMs: request.soakMs },
    signal,
    report,
  };
  const go = async (change: Partial<RackRecord>) => {
    const record = { ...run.record, ...change };
    if (hasEnded(record)) await removeUnfinished(rollout.rack);
    else await leaveUnfinished(rollout.rack, { request, record });
    await save(run, request, deps, change);
  };
  const giveUp = async (why: string) => {
    report(why);
    await go({ state: 'rolling-back', why });
  };
  const isAt = (...states: RackRecord['state'][]) => states.includes(run.record.state);
  const isAgain = isAt('rolling-back');
  const isInterruption = (error: unknown) => signal.aborted || isRejected(error, 'Unreachable');
  const giveUpAfter = async (error: unknown) => {
    if (isInterruption(error)) throw error;
    await giveUp(
      [errorText(error), ...(await changedMeanwhile(rollout, isInterruption))].join('; '),
    );
  };
  // Of an interruption.
  if (!isAt('rolling-back')) delete run.record.why;
  try {
    if (isAt('waiting', 'rolling-out')) {
      if (opened.carry) {
        const images = neededImages(rollout.plan, await readNodes(rollout.rack));
        await opened.carry(images, { signal, report, patienceMs: times.patienceMs });
      }
      const health = isAt('waiting') ? await readRackHealth(rollout) : run.record.health;
      await go({ state: 'rolling-out', ...(health !== undefined && { health }) });
      await rollOut({ ...rollout, health }).catch(giveUpAfter);
      if (isAt('rolling-out')) await go({ state: stateAfterRollOut(rollout) });
    }
    if (isAt('pruning')) {
      await prune(rollout).catch(giveUpAfter);
      if (isAt('pruning')) await go({ state: 'committing' });
    }
    if (isAt('committing')) {
      const others = await changedByOthers(rollout.rack, rollout.plan, true);
      if (others.length > 0) await giveUp(`changed during the push: ${others.join('; ')}`);
    }
    if (isAt('committing')) {
      const commit = await commits(() => commitPins(run.record, request, deps));
      await removeUnfinished(rollout.rack);
      await lease.release(lastOf(run, request, commit, deps));
      await save(run, request, deps, { state: 'done', commit });
      report('done');
    }
    if (isAt('rolling-back')) {
      await rollBack(rollout);
      await go({ state: 'rolled-back' });
      report('rolled back to the previous state');
    }
  } catch (error) {
    const isInterrupted = isInterruption(error);
    const why = [run.record.why, errorText(error)].filter(Boolean).join('; then: ');
    // After a first failure, skolo-fallback tries again later. After another one, the next push may repair the rack.
    const isBroken = !isInterrupted && isAgain;
    if (isBroken) await removeUnfinished(rollout.rack).catch(() => undefined);
    await save(run, request, deps, { why, ...(isBroken && { state: 'broken' }) });
    report(`${isInterrupted ? 'interrupted' : 'failed'}: ${errorText(error)}`);
  }
}

/** Each state costs two changes of the rack. */
function stateAfterRollOut({ plan }: Rollout): RackRecord['state'] {
  return plan.deletions.length > 0 ? 'pruning' : 'committing';
}

/** Whatever rejects a push's objects may also reject the comparison. */
async function changedMeanwhile(
  { rack, plan }: Rollout,
  isInterruption: (error: unknown) => boolean,
): Promise<string[]> {
  return await changedByOthers(rack, plan, false).catch((error: unknown) => {
    if (isInterruption(error)) throw error;
    return [];
  });
}

function lastOf(
  { record, lease }: Run,
  { id, by, why }: Request,
  commit: string,
  { now }: PushDeps,
): Last {
  // A push without new versions keeps the versions for a rollback.
  const previous = record.previous.length > 0 ? record.previous : (lease?.last?.previous ?? []);
  return { id, by, at: new Date(now()).toISOString(), commit, why, previous };
}

/** Writes are in the order of events, so a killed push misses at most the last one. */
async function save(
  run: Run,
  { id }: Request,
  { records, now }: PushDeps,
  change: Partial<RackRecord>,
): Promise<void> {
  run.record = { ...run.record, ...change, at: new Date(now()).toISOString() };
  await records.save(id, run.record);
}

async function commitPins(
  { rack, pins }: RackRecord,
  { id, by, why }: Request,
  { repository }: PushDeps,
): Promise<string> {
  return await commitFile(repository, {
    file: kustomizationOf(repository, rack),
    edit: (text) => withPins(text, pins),
    message: `push(${rack}): ${versionsText(pins)}\n\n${why}\n\nPush: ${id}\nPushed-by: ${by}\n`,
  });
}

/** `metadata-server, router-backup 2026-11-20T22_40_05Z-ann-295cca0-clean` */
function versionsText(pins: readonly Pin[]): string {
  return [...Map.groupBy(pins, ({ tag }) => tag)]
    .map(([tag, all]) => `${all.map(({ name }) => name.replace('skolo/', '')).join(', ')} ${tag}`)
    .join('; ');
}

async function closeAll(runs: readonly Run[]): Promise<void> {
  for (const run of runs) {
    const { lease, opened } = run;
    // An unreachable rack cannot be notified; its lease expires.
    await lease?.release().catch(() => undefined);
    await opened?.close();
    delete run.lease;
    delete run.opened;
  }
}
