/** Sets up many computers of a cluster at the same time, and decides how many. If one fails, the others continue. */
import { isDeepStrictEqual } from 'node:util';
import { errorText, inParallel } from '@skolo/base';
import { type Host, isPrepared, prepare, type Step, type StepProgress } from '@skolo/setup/engine';
import {
  type ClusterPlan,
  type Member,
  type PlanDeps,
  placeOf,
  placeStep,
  serverStep,
} from './distribution.ts';
import { ClusterError } from './errors.ts';

/** Computers, each with one SSH connection. */
export interface SetUpDeps extends PlanDeps {
  /** As root. @throws The computer cannot be reached. */
  open(name: string): Promise<Host>;
  isCheck: boolean;
  /** Called for every change, with the state of this computer. */
  report(result: MemberResult): void;
  /** Who makes the changes, for others who try meanwhile. */
  by: string;
  signal: AbortSignal;
}

export interface MemberResult {
  name: string;
  /** Empty until it is reached. */
  steps: readonly StepProgress[];
  /** Why it was not reached, or why its steps ended. */
  why?: string;
}

/** Images are sent over one connection, and a workstation has one processor for many of them. */
const atOnce = 10;
/** sshd allows ten sessions in one connection (MaxSessions), and the lock of the server needs one. */
const sessionsOfServer = 6;

/** Installs the programs on computers that do not belong to a cluster yet. */
export async function deploy(
  members: readonly Member[],
  plan: Pick<ClusterPlan, 'distribution' | 'version' | 'airGap'>,
  deps: Omit<SetUpDeps, 'accounts'>,
): Promise<MemberResult[]> {
  rejectTwice(members);
  return await inParallel(members, atOnce, ({ name }) =>
    onMember(name, deps, () => Promise.resolve(plan.distribution.deploySteps(plan, deps))),
  );
}

/**
 * Creates a cluster, or its missing parts. A failed computer does not stop the others, but none can join without a server.
 *
 * @returns a result for each, the server first
 */
export async function setUp(plan: ClusterPlan, deps: SetUpDeps): Promise<MemberResult[]> {
  const { distribution, server, agents } = plan;
  rejectTwice([server, ...agents]);
  const ready = Promise.withResolvers<Host>();
  ready.promise.catch(() => undefined);
  // An existing cluster keeps its version, and agents must not be newer than their server.
  const version = Promise.withResolvers<string>();
  const making = onMember(server.name, deps, async (host) => {
    const place = { distribution: distribution.name, role: 'server' } as const;
    const isThere = isDeepStrictEqual(await placeOf(host), place);
    const running = isThere ? await distribution.installedVersion(host) : undefined;
    version.resolve(running ?? plan.version);
    const own = { ...plan, version: running ?? plan.version };
    return [
      placeStep(place),
      ...distribution.deploySteps(own, deps, 'server'),
      ...distribution.serverSteps(own, deps),
    ];
  }).then(async (result) => {
    version.resolve(plan.version);
    if (isDone(result) || (deps.isCheck && result.why === undefined)) {
      ready.resolve(atMost(await deps.open(server.name), sessionsOfServer));
    } else ready.reject(new ClusterError(`server ${server.name} failed; see its message`));
    return result;
  });
  making.catch((error: unknown) => ready.reject(error));
  const [made, ...joined] = await Promise.all([
    making,
    inParallel(agents, atOnce, ({ name, ...place }) =>
      onMember(name, deps, async () => {
        const own = { ...plan, version: await version.promise };
        return [
          placeStep({ distribution: distribution.name, role: 'agent' }),
          ...distribution.deploySteps(own, deps, 'agent'),
          serverStep(ready.promise),
          ...distribution.joinSteps(own, { name, ...place }, ready.promise, deps),
        ];
      }),
    ),
  ]);
  return [made, ...joined.flat()];
}

async function onMember(
  name: string,
  { open, isCheck, report, by, signal }: Omit<SetUpDeps, 'accounts'>,
  stepsFor: (host: Host) => Promise<Step[]>,
): Promise<MemberResult> {
  let steps: readonly StepProgress[] = [];
  try {
    const host = await open(name);
    steps = await prepare(host, await stepsFor(host), {
      isCheck,
      by,
      signal,
      report: (now) => report({ name, steps: now }),
    });
    return { name, steps };
  } catch (error) {
    signal.throwIfAborted();
    const result = { name, steps, why: errorText(error) };
    report(result);
    return result;
  }
}

/** Whether it matches its settings. */
export function isDone({ steps, why }: MemberResult): boolean {
  return why === undefined && steps.length > 0 && isPrepared(steps);
}

/** @throws ClusterError A name or address occurs twice. */
function rejectTwice(members: readonly Member[]): void {
  for (const key of ['name', 'address'] as const) {
    const seen = new Set<string>();
    for (const { [key]: value } of members) {
      if (value === undefined) continue;
      if (seen.has(value)) throw new ClusterError(`${value}: listed twice; list it only once`);
      seen.add(value);
    }
  }
}

/** The same computer, with a maximum number of concurrent commands. */
export function atMost(host: Host, most: number): Host {
  let running = 0;
  const waiting: (() => void)[] = [];
  async function inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (running >= most) await new Promise<void>((resolve) => waiting.push(resolve));
    else running += 1;
    try {
      return await work();
    } finally {
      // The next waiting command starts.
      const next = waiting.shift();
      if (next === undefined) running -= 1;
      else next();
    }
  }
  return {
    name: host.name,
    run: (script, options) => inTurn(() => host.run(script, options)),
    need: (script, options) => inTurn(() => host.need(script, options)),
    write: (file) => inTurn(() => host.write(file)),
    read: (path) => inTurn(() => host.read(path)),
  };
}
