/**
 * Carries out and verifies a command of pdudaemon's clients, such as labgrid and LAVA. Its clients are programs, so two rules are
 * stricter than for people: what a person turned off stays off, and a target with a hold is not switched at all.
 */
import type { AcceptedRequests } from '@skolo/api';
import { errorText, orAborted, pause } from '@skolo/base';
import type { Events } from '@skolo/common';
import { formatOutlet, hasRange } from '@skolo/rack';
import { stepOf } from '../cycle/cycle.ts';
import type { Cycles } from '../cycle/cycles.ts';
import type { PowerEvent } from '../events.ts';
import type { PartDeps } from '../part-deps.ts';
import { type Request, RequestRejected } from '../request/requests.ts';
import { holdsOf, rejectingKinds } from '../rules/holds.ts';
import type { Ask, Snapshot } from '../rules/preconditions.ts';

import { findTarget, type Target } from '../rules/targets.ts';
import { type CycleRecord, endpointName, feedKey, type SwitchedOff } from '../state/records.ts';

export interface CommandDeps extends Pick<PartDeps, 'log' | 'store'> {
  events: Events<PowerEvent>;
  accept: (request: Request) => Promise<AcceptedRequests>;
  snapshot: () => Snapshot;
  cycles: Pick<Cycles, 'cancel'>;
  /** Aborted when the daemon stops: clients that still wait are told so. */
  closing: AbortSignal;
}

interface Command {
  action: Ask['action'];
  /** A machine, a phone, a device, or an outlet: pdu-1/4. */
  target: string;
  /** The off-time, or, for on and off, the delay before it. */
  delaySeconds: number | undefined;
  /** The endpoint's name and the client's address. */
  by: string;
  reason: string;
  /** Aborted when the client has hung up. */
  gone: AbortSignal;
}

/** If a client sends 0, the outlet is still off for a moment. */
const leastOffSeconds = 0.5;

/** Carries it out. Returns why not, or undefined once it is verified. */
export async function carryOut(command: Command, deps: CommandDeps): Promise<string | undefined> {
  const { log } = deps;
  const { action, target, delaySeconds, by } = command;
  // If the daemon stops or the client hangs up, no answer can be sent.
  const end = AbortSignal.any([deps.closing, command.gone]);
  let why: string | undefined;
  try {
    why = await orAborted(attempt(command, deps, end), end);
  } catch (error) {
    const isExpected = error instanceof RequestRejected || end.aborted;
    if (!isExpected) log.error({ err: error, action, target, by }, 'endpoint failed');
    why = errorText(error);
  }
  log.info({ action, target, delaySeconds, by, why }, 'endpoint');
  return why;
}

async function attempt(
  command: Command,
  deps: CommandDeps,
  end: AbortSignal,
): Promise<string | undefined> {
  const { action, delaySeconds } = command;
  // Ranges are for people: no client of these protocols means forty machines by one name.
  if (hasRange(command.target)) return `${command.target}: specify a single name, not a range`;
  if (action !== 'cycle' && delaySeconds) await pause(delaySeconds * 1000, end);
  const snapshot = deps.snapshot();
  const { rack, switchedOff, pendingOns } = snapshot;
  const target = findTarget(rack, command.target);
  if (target === undefined) return taken(command, askFor(command), deps);
  const off = offOf(target, switchedOff);
  if (off !== undefined && !off.by.startsWith(endpointName)) {
    return `${feedKey(off)} was turned off by ${off.by} at ${off.at}: ${off.reason}; only an operator may turn it on`;
  }
  // What is busy is decided by the cycle, as for everybody.
  const [hold] = rejectingKinds.flatMap((kind) => holdsOf(target, snapshot, kind));
  if (hold !== undefined) {
    const whose = hold.target === target.name ? '' : `${target.name}: `;
    return `${whose}${hold.target} was put on hold by ${hold.by} until ${hold.until}: ${hold.reason}`;
  }
  const pending = target.feeds.map((feed) => pendingOns.get(formatOutlet(feed))).find(Boolean);
  // Its failure would end the attempts to turn that outlet on.
  if (pending !== undefined && action === 'off') {
    return `${target.name}: ${feedKey(pending)} was turned off by cycle ${pending.cycle} and is still being turned on; try again when it is on`;
  }
  if (off === undefined || action !== 'cycle') return taken(command, askFor(command), deps);
  // The endpoint itself already turned it off: only turning on is left of the reboot.
  const ask = askFor(command);
  await pause((ask.offSeconds ?? leastOffSeconds) * 1000, end);
  return taken(command, { action: 'on', mode: 'hard', force: false }, deps);
}

function askFor({ action, delaySeconds }: Command): Ask {
  // If the client gives no time, the model's own is better.
  const offSeconds =
    action === 'cycle' && delaySeconds !== undefined
      ? { offSeconds: Math.max(leastOffSeconds, delaySeconds) }
      : {};
  return { action, mode: 'hard', force: false, ...offSeconds };
}

async function taken(
  { target, reason, by, gone }: Command,
  ask: Ask,
  deps: CommandDeps,
): Promise<string | undefined> {
  const request = { targets: [target], ask, reason, by, skipRejected: false };
  const { cycles } = await deps.accept({ ...request, origin: 'endpoint' });
  const own = cycles.filter(({ joined }) => !joined);
  const leave = () => {
    for (const { id } of own)
      void deps.cycles.cancel(id, 'the client disconnected before the cycle began; try again');
  };
  if (gone.aborted) leave();
  else gone.addEventListener('abort', leave, { once: true });
  for (const { id } of cycles) {
    const { outcome, failedStep, detail } = await untilPowerIsVerified(id, deps);
    const isVerified = outcome === undefined || ['back', 'on', 'off', 'unproven'].includes(outcome);
    // The power was cycled anyway, which is all that these protocols promise.
    if (isVerified || failedStep === 'see-back') continue;
    const where = failedStep === undefined ? '' : ` at ${failedStep}`;
    return `${outcome}${where}: ${detail ?? 'no reason given'}`;
  }
  return undefined;
}

function offOf(
  { feeds }: Target,
  switchedOff: ReadonlyMap<string, SwitchedOff>,
): SwitchedOff | undefined {
  const found = feeds.flatMap((feed) => switchedOff.get(formatOutlet(feed)) ?? []);
  return found.find(({ by }) => !by.startsWith(endpointName)) ?? found[0];
}

/** The first state of a cycle that has finished, or whose power is on again so that only the machine is awaited. */
function untilPowerIsVerified(id: string, { events, store }: CommandDeps): Promise<CycleRecord> {
  return new Promise((resolve) => {
    const check = (record: CycleRecord | undefined) => {
      if (record?.id !== id) return;
      if (record.outcome === undefined && stepOf(record) !== 'see-back') return;
      unsubscribe();
      resolve(record);
    };
    const unsubscribe = events.consume((event) => event.type === 'cycle' && check(event.record));
    check(store.cycles.get(id));
  });
}
