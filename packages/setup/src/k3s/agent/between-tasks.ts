/**
 * Decides when a machine may be changed or upgraded (drained): between two tasks; a hold in the power-cycle daemon prevents cycles and new
 * tasks, and a running task may finish.
 */
import {
  type AgentStatus,
  ApiUnreachable,
  type Client,
  type powerCycleDaemonApi,
} from '@skolo/api';
import { errorText, pause, repeat } from '@skolo/base';

export interface MachineTasks {
  /** Its agent's state. @throws ApiUnreachable It does not respond. */
  readState(): Promise<AgentState>;
  /** A job that others have announced there, for people. @throws The power-cycle daemon does not respond. */
  job(): Promise<string | undefined>;
  hold(): Promise<MachineHold>;
}

interface AgentState {
  isRunning: boolean;
  /** Its ID, if known. */
  task?: string;
  accepts: boolean;
}

/** Milliseconds. */
export interface TaskTimes {
  /** If a task runs longer, its machine is left unchanged. */
  taskMs: number;
  /** Within this time, a held machine reports that it does not accept tasks. */
  heldMs: number;
  pollMs: number;
}

interface WaitDeps {
  times: TaskTimes;
  report(text: string): void;
  signal: AbortSignal;
}

export interface HoldDeps {
  power: Pick<Client<typeof powerCycleDaemonApi>, 'hold' | 'holds' | 'machines' | 'release'>;
  reason: string;
  /** Milliseconds since 1970. */
  now(): number;
  report(text: string): void;
  renewMs?: number;
}

interface MachineHold {
  /** By this hold, or by somebody else's. */
  isHeld: boolean;
  release(): Promise<void>;
}

/** During a task, a slow agent may lose this many responses in a row; after more, there is no agent. */
const mostLost = 2;

/** It ends automatically soon after its workstation has disappeared. */
const holdMs = 15 * 60_000;
const usualRenewMs = 5 * 60_000;

/** Somebody else's hold stays unchanged. Without the daemon, there are no holds. */
export async function holdMachine(name: string, deps: HoldDeps): Promise<MachineHold> {
  const { power, reason, now, report, renewMs = usualRenewMs } = deps;
  let id: string | undefined;
  async function hold() {
    const until = new Date(now() + holdMs).toISOString();
    const { holds } = await power.hold({ body: { targets: [name], reason, until } });
    id = holds[0]?.id;
  }
  try {
    const { holds } = await power.holds();
    const isOther = holds.some(
      (each) => each.kind === 'out-of-service' && each.target === name && each.reason !== reason,
    );
    if (isOther) return { isHeld: true, release: async () => {} };
    await hold();
  } catch (error) {
    report(
      `${name}: could not be put on hold (${errorText(error)}), so the machine may start a task`,
    );
    return { isHeld: false, release: async () => {} };
  }
  const renew = () =>
    hold().catch((error: unknown) =>
      report(
        `${name}: the hold could not be renewed (next attempt in ${renewMs / 60_000} min): ${errorText(error)}`,
      ),
    );
  const over = new AbortController();
  const renewal = repeat(renewMs, renew, over.signal, 'later');
  return {
    isHeld: true,
    async release() {
      over.abort();
      // One that arrives after the end would begin the hold again.
      await renewal.ended;
      if (id === undefined) return;
      await power.release({ params: { id }, query: {} }).catch((error: unknown) => {
        report(
          `${name}: the hold could not be released, so it ends within ${holdMs / 60_000} min: ${errorText(error)}`,
        );
      });
    },
  };
}

/** A job on anything that is disturbed with the machine: the daemon's answer also protects it from cycles. */
export async function jobOn(
  name: string,
  { power }: Pick<HoldDeps, 'power'>,
): Promise<string | undefined> {
  const { machines } = await power.machines({ query: { name } });
  const [job] = machines[0]?.busy ?? [];
  return job && `the job of ${job.by} (${job.reason})`;
}

export function agentState({ task, health }: AgentStatus): AgentState {
  const { running: isRunning, id } = task;
  return { isRunning, ...(id !== undefined && { task: id }), accepts: health?.verdict === 'ok' };
}

/**
 * Works on a machine that is held, and where neither a task nor a job of others is running. Without an agent, there are no tasks.
 *
 * @returns undefined: its task runs for longer than it may, and nothing was done
 */
export async function betweenTasks<T>(
  name: string,
  machine: MachineTasks,
  deps: WaitDeps,
  work: () => Promise<T>,
): Promise<T | undefined> {
  const hold = await machine.hold();
  try {
    return (await untilIdle(name, machine, hold.isHeld, deps)) ? await work() : undefined;
  } finally {
    await hold.release();
  }
}

export function tooLong({ taskMs }: TaskTimes): string {
  return `still running tasks after ${Math.round(taskMs / 60_000)} min`;
}

async function untilIdle(
  name: string,
  machine: Pick<MachineTasks, 'readState' | 'job'>,
  isHeld: boolean,
  { times, report, signal }: WaitDeps,
): Promise<boolean> {
  const start = performance.now();
  let idleSince: number | undefined;
  let said: string | undefined;
  let job: string | undefined;
  for (let lost = 0; ; ) {
    // Without a response, a known job continues.
    job = await machine.job().catch(() => job);
    const state = await machine.readState().catch((error: unknown) => {
      if (error instanceof ApiUnreachable) return undefined;
      // An error from an agent, or a response from another rack's agent, does not mean that no task is running.
      throw error;
    });
    signal.throwIfAborted();
    if (state === undefined && job === undefined) {
      lost += 1;
      if (lost > mostLost) return true;
      await pause(times.pollMs, signal);
      continue;
    }
    lost = 0;
    const now = performance.now();
    const task = state?.isRunning && ['the task', state.task].filter(Boolean).join(' ');
    const running = job || task;
    if (running) {
      idleSince = undefined;
    } else {
      idleSince ??= now;
      if (!isHeld || !state?.accepts || now - idleSince > times.heldMs) return true;
    }
    const what = running || 'the agent to receive the hold';
    if (what !== said) report(`${name}: waiting for ${what}`);
    said = what;
    // After the report: the first response may take longer than the limit.
    if (running && now - start > times.taskMs) return false;
    await pause(times.pollMs, signal);
  }
}
