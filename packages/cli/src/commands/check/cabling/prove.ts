/**
 * Verifies which outlet feeds a machine that was moved: cycles the outlet through the power-cycle daemon, and decides how long to wait
 * for the machine. While it is off, the link of that machine must be down, and no other. One outlet at a time, only idle machines; stops
 * at the first doubt.
 */
import { randomUUID } from 'node:crypto';
import { ApiError, ApiUnreachable, type ConnectedHosts, type PowerCycle } from '@skolo/api';
import { dependsOn, formatOutlet, goesDark, parseOutlet, type Rack } from '@skolo/rack';
import { CliError } from '../../../errors.ts';
import type { PowerCycleDaemon, RouterBackup } from '../../../reach/service-client.ts';
import { rejectedBy } from '../../power/request.ts';
import type { CableFinding } from './compare.ts';
import { readHosts } from './readings.ts';
import { entriesOf, isNetwork } from './seen.ts';

export interface ProofDeps {
  rack: Rack;
  daemon: Pick<PowerCycleDaemon, 'ask'>;
  backup: Pick<RouterBackup, 'ask'>;
  /** Why a machine is not idle; undefined if it is. */
  whyBusy(machine: string): Promise<string | undefined>;
  /** Between two looks. */
  pause(): Promise<void>;
  /** Milliseconds of a monotonic clock. */
  now(): number;
  say(text: string): void;
  offSeconds?: number;
}

export interface Proofs {
  verified: Set<string>;
  /** Why it stopped early. */
  doubt?: string;
}

/** Why no further outlet is cycled. */
export class Doubt extends Error {}

/** A service that does not respond also counts as a doubt. */
export function isDoubt(error: unknown): error is Error {
  return [Doubt, CliError, ApiError, ApiUnreachable].some((each) => error instanceof each);
}

/**
 * Long enough for a reading. A switch with a built-in cycle only accepts whole seconds, so the daemon waits instead, and leaves the switch
 * free for us.
 */
const usualOffSeconds = 30.5;
export const cycleMs = 600_000;
export const bootMs = 300_000;

/** @param findings those whose outlet moves with the cable */
export async function prove(findings: readonly CableFinding[], deps: ProofDeps): Promise<Proofs> {
  const verified = new Set<string>();
  for (const { thing: name, power } of findings) {
    if (power === undefined) continue;
    try {
      await proveOne(name, power, deps);
      verified.add(name);
      deps.say(`${name}: verified: ${power.edit.value} powers it`);
    } catch (error) {
      if (!isDoubt(error)) throw error;
      return {
        verified,
        doubt: `${name}: not verified: ${error.message}; no further outlets will be cycled`,
      };
    }
  }
  return { verified };
}

async function proveOne(
  name: string,
  { edit: { value: outlet }, card }: NonNullable<CableFinding['power']>,
  deps: ProofDeps,
): Promise<void> {
  const { rack, say } = deps;
  const port = parseOutlet(outlet);
  if (port === undefined) throw new Doubt(`${outlet} is not an outlet`);
  const fed = fedBy(rack, outlet);
  checkPath(rack, name, outlet, fed);
  for (const machine of new Set([name, ...fed])) await checkIdle(machine, deps);
  const before = await readHosts(deps.backup, port.device);
  if (!isAlone(before, port.outlet, card)) throw new Doubt(`no longer at ${outlet}`);
  say(`${name}: cycling ${outlet}`);
  const reason = `cabling audit: checking whether ${outlet} powers ${name}`;
  const { offSeconds = usualOffSeconds } = deps;
  const id = await requestCycle(outlet, { reason, offSeconds }, deps);
  await watchOff(id, port, before, deps);
  await watchOn(id, outlet, deps);
  await until(bootMs, `has not reappeared at ${outlet}`, deps, async () => {
    const now = await readIfFree(port.device, deps);
    return now !== undefined && isAlone(now, port.outlet, card);
  });
}

/** Machines that rack.yaml connects to an outlet. */
function fedBy({ machines }: Rack, outlet: string): string[] {
  return [...machines.values()].flatMap(({ name, power, uplink }) => {
    const own = [...power, ...(uplink ? [uplink] : [])].map(formatOutlet);
    return own.includes(outlet) ? [name] : [];
  });
}

/** @throws Doubt Something that is not a machine, or that the cabling audit depends on, would lose power */
function checkPath(rack: Rack, name: string, outlet: string, fed: readonly string[]): void {
  if (!rack.machines.has(name)) throw new Doubt('only outlets of machines can be verified');
  const port = parseOutlet(outlet);
  const dark = port === undefined ? [] : goesDark(rack, port);
  const machines = new Set(
    [...rack.machines.values()].flatMap((machine) => [
      machine.name,
      ...machine.devices.map(({ fullName }) => fullName),
    ]),
  );
  const other = dark.find((each) => !machines.has(each));
  if (other !== undefined)
    throw new Doubt(`${outlet} powers or connects ${other} according to rack.yaml`);
  if (fed.length > 1) throw new Doubt(`${outlet} belongs to ${fed.join(' and ')} in rack.yaml`);
  const needed = entriesOf(rack)
    .filter((entry) => entry.name === rack.jumphost.name || isNetwork(entry))
    .find((entry) => dependsOn(rack, entry.name).includes(outlet));
  if (needed !== undefined) throw new Doubt(`${needed.name} depends on ${outlet}`);
}

/** @throws Doubt A task is running, somebody holds it, or its state is unknown */
export async function checkIdle(
  machine: string,
  { daemon, whyBusy }: Pick<ProofDeps, 'daemon' | 'whyBusy'>,
): Promise<void> {
  const why = await whyBusy(machine);
  if (why !== undefined) throw new Doubt(`${machine} ${why}`);
  const { machines } = await daemon.ask((client) => client.machines({ query: { name: machine } }));
  const found = machines.find((each) => each.name === machine);
  if (found?.hold !== undefined) {
    throw new Doubt(`${machine} is held by ${found.hold.by}: ${found.hold.reason}`);
  }
  if (found?.cycle !== undefined) throw new Doubt(`${machine} is being cycled (${found.cycle.id})`);
}

export async function requestCycle(
  outlet: string,
  more: { reason: string; offSeconds?: number; alone?: boolean },
  { daemon }: Pick<ProofDeps, 'daemon'>,
): Promise<string> {
  const body = { machines: [outlet], mode: 'hard' as const, ...more };
  const headers = { 'idempotency-key': randomUUID() };
  const { cycles } = await daemon.ask(async (client) => {
    try {
      return await client.requestCycles({ headers, body });
    } catch (error) {
      const [rejection] = rejectedBy(error) ?? [];
      if (rejection === undefined) throw error;
      throw new Doubt(`the power-cycle daemon rejected the cycle: ${rejection.detail}`);
    }
  });
  const [cycle] = cycles;
  if (cycle === undefined || cycle.joined) throw new Doubt(`${outlet} is already being cycled`);
  return cycle.id;
}

const notYetOff: readonly string[] = ['queued', 'check', 'contact', 'turn-off'];
const notStarted: readonly string[] = ['busy', 'cancelled', 'would-have'];

/** @throws Doubt Another link went down, or its own stayed up */
async function watchOff(
  id: string,
  port: { device: string; outlet: string },
  before: ConnectedHosts,
  deps: ProofDeps,
): Promise<void> {
  const wasUp = linksOf(before);
  const own = formatOutlet(port);
  let looks = 0;
  await until(cycleMs, 'the power cycle did not turn the outlet off', deps, async () => {
    const cycle = await cycleOf(id, deps);
    if (cycle.outcome === undefined && notYetOff.includes(cycle.step)) return false;
    if (cycle.outcome !== undefined || cycle.step !== 'off') {
      throw new Doubt(`${whyUnproven(cycle, own, looks)} (${cycle.detail ?? cycle.step})`);
    }
    const now = await readIfFree(port.device, deps);
    if (now === undefined) return false;
    looks += 1;
    const isUp = linksOf(now);
    const gone = [...wasUp].filter((name) => !isUp.has(name));
    const other = gone.find((name) => name !== port.outlet);
    if (other !== undefined) {
      throw new Doubt(`the link on ${port.device}/${other} went down while ${own} was off`);
    }
    return gone.length === 1;
  });
}

function whyUnproven({ outcome, failedStep }: PowerCycle, own: string, looks: number): string {
  if (looks > 0) return `the link on ${own} stayed up while the outlet was off`;
  const isUncut =
    failedStep === undefined
      ? outcome !== undefined && notStarted.includes(outcome)
      : notYetOff.includes(failedStep);
  return isUncut
    ? `${own} was not turned off`
    : `link states could not be read while ${own} was off`;
}

/** @throws Doubt Its power is not verified to be on again */
async function watchOn(id: string, outlet: string, deps: ProofDeps): Promise<void> {
  await until(cycleMs, `${outlet} did not turn on again`, deps, async () => {
    const { step, outcome, failedStep, detail } = await cycleOf(id, deps);
    // The entry that rack.yaml has at this outlet may not be the machine that was cycled, so whether it is back does not matter.
    if (outcome === undefined) return step === 'see-back';
    if (outcome === 'back' || outcome === 'on' || outcome === 'unproven') return true;
    if (outcome === 'failed' && failedStep === 'see-back') return true;
    throw new Doubt(`the outcome of the cycle is ${outcome}: ${detail ?? 'see skolo power log'}`);
  });
}

export async function cycleOf(
  id: string,
  { daemon }: Pick<ProofDeps, 'daemon'>,
): Promise<PowerCycle> {
  return await daemon.ask((client) => client.cycle({ params: { id } }));
}

/** @throws Doubt `what`, after a timeout */
export async function until(
  ms: number,
  what: string,
  { now, pause }: Pick<ProofDeps, 'now' | 'pause'>,
  isDone: () => Promise<boolean>,
): Promise<void> {
  const end = now() + ms;
  while (!(await isDone())) {
    if (now() > end) throw new Doubt(`${what} within ${ms / 1000} s`);
    await pause();
  }
}

/** Undefined: a power cycle is using it. */
async function readIfFree(
  equipment: string,
  { backup }: Pick<ProofDeps, 'backup'>,
): Promise<ConnectedHosts | undefined> {
  try {
    return await readHosts(backup, equipment);
  } catch (error) {
    const { cause } = error instanceof Error ? error : {};
    const original = error instanceof ApiError ? error : cause;
    if (original instanceof ApiError && original.problem.failure === 'busy') return undefined;
    throw error;
  }
}

function linksOf({ ports }: ConnectedHosts): Set<string> {
  return new Set(ports.flatMap(({ name, up }) => (up ? [name] : [])));
}

/** Whether this card, and no other, is at the port. */
function isAlone({ hosts }: ConnectedHosts, port: string, card: string): boolean {
  const cards = hosts.filter((each) => each.source === 'mac-table' && each.port === port);
  return cards.length > 0 && cards.every(({ mac }) => mac === card);
}
