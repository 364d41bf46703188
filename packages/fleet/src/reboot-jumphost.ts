/** Reboots a jumphost when no outlet waits for it, and waits until its services are back. */
import { setTimeout as pause } from 'node:timers/promises';
import type { Client, powerCycleDaemonApi } from '@skolo/api';
import { errorText } from '@skolo/errors';
import type { Rack } from '@skolo/rack';
import { jumphostServices } from '@skolo/rack/ports';
import { serviceMetricsUrl } from '@skolo/rack/service-urls';
import { FleetError } from './errors.ts';
import type { Jumphost } from './open-jumphost.ts';

export interface RebootDeps {
  rack: Rack;
  jumphost: Pick<Jumphost, 'onJumphost' | 'fetch'>;
  power: Pick<Client<typeof powerCycleDaemonApi>, 'hold' | 'release' | 'cycles' | 'controllers'>;
  /** A line for people. */
  report(line: string): void;
  /** Milliseconds since 1970. */
  now(): number;
  signal: AbortSignal;
  /** Each overrides a default. */
  limits?: Partial<Limits>;
}

/** Milliseconds. */
interface Limits {
  /** Until nothing is being cycled. */
  quiet: number;
  /** Until it has booted, and then until its services are ready. */
  back: number;
  betweenLooks: number;
}

const usual: Limits = { quiet: 30 * 60_000, back: 15 * 60_000, betweenLooks: 2000 };

/**
 * A hold of the rack keeps new cycles away. Cycles that are under way end first, and so do outlets that are to come on: nothing
 * would turn them on meanwhile.
 *
 * @throws FleetError `NOT_REBOOTED` It is not quiet in time, refuses to reboot, or does not come back.
 * @throws ApiError @throws ApiUnreachable Nothing was done.
 */
export async function rebootJumphost(deps: RebootDeps): Promise<void> {
  const { rack, power, report, now } = deps;
  const limits = { ...usual, ...deps.limits };
  const until = new Date(now() + limits.quiet + 2 * limits.back).toISOString();
  const body = { targets: [rack.name], reason: 'the jumphost reboots', until };
  const { holds } = await power.hold({ body });
  report(`${rack.name} is held: no new cycle begins`);
  try {
    await wait(deps, limits, limits.quiet, () => whatIsUnderWay(deps));
    const before = await bootId(deps);
    await sendReboot(deps);
    report(`${rack.jumphost.name} reboots`);
    await wait(deps, limits, limits.back, () => whyNotBack(deps, before));
    report(`${rack.jumphost.name} is back`);
    await wait(deps, limits, limits.back, () => whoIsNotReady(deps));
    report('all services are ready');
  } finally {
    await Promise.all(holds.map(({ id }) => power.release({ params: { id }, query: {} }))).catch(
      (error: unknown) => report(`the hold ends at ${until}: ${errorText(error)}`),
    );
  }
}

/** Undefined: nothing. */
async function whatIsUnderWay({ power }: RebootDeps): Promise<string | undefined> {
  const [queued, running, { controllers }] = await Promise.all([
    power.cycles({ query: { state: 'queued' } }),
    power.cycles({ query: { state: 'running' } }),
    power.controllers(),
  ]);
  const cycles = [...queued.cycles, ...running.cycles].map(({ target }) => target);
  const stuck = controllers.flatMap(({ stuckOutlets = [] }) => stuckOutlets);
  if (cycles.length > 0) return `${cycles.join(', ')}: being cycled`;
  return stuck.length > 0 ? `${stuck.join(', ')}: off, and to come on` : undefined;
}

async function whyNotBack(deps: RebootDeps, before: string): Promise<string | undefined> {
  const id = await bootId(deps);
  return id === before ? `${deps.rack.jumphost.name}: still the same boot` : undefined;
}

async function whoIsNotReady({ rack, jumphost, signal }: RebootDeps): Promise<string | undefined> {
  const looks = jumphostServices.map(async (service) => {
    const url = `${serviceMetricsUrl(rack, service)}/readyz`;
    const { status } = await jumphost.fetch(url, { signal });
    return status === 200 ? [] : [`${service}: not ready (${status})`];
  });
  const [first] = (await Promise.all(looks)).flat();
  return first;
}

/** Looks again and again until nothing is in the way. An error of a look is in the way, too. */
async function wait(
  { rack, report, signal }: RebootDeps,
  { betweenLooks }: Limits,
  withinMs: number,
  look: () => Promise<string | undefined>,
): Promise<void> {
  const end = performance.now() + withinMs;
  let reported: string | undefined;
  for (;;) {
    const why = await look().catch((error: unknown) => errorText(error));
    signal.throwIfAborted();
    if (why === undefined) return;
    if (performance.now() > end) {
      const minutes = Math.round(withinMs / 60_000);
      throw new FleetError('NOT_REBOOTED', `${rack.name}: ${why}, for ${minutes} min`);
    }
    if (why !== reported) report(why);
    reported = why;
    await pause(betweenLooks, undefined, { signal });
  }
}

const commandMs = 20_000;

async function bootId({ jumphost, signal }: RebootDeps): Promise<string> {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(commandMs)]);
  const command = 'cat /proc/sys/kernel/random/boot_id';
  const { code, stdout, stderr } = await jumphost.onJumphost(command, limit);
  const id = stdout.trim();
  if (code === 0 && id !== '') return id;
  throw new FleetError('UNREACHABLE', stderr || `${command}: exit code ${code}`);
}

/** ssh ends with 255 when the connection goes before the command does. */
async function sendReboot({ rack, jumphost, signal }: RebootDeps): Promise<void> {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(commandMs)]);
  const { code, stderr } = await jumphost.onJumphost('sudo -n systemctl reboot', limit);
  if (code === 0 || code === 255) return;
  const why = stderr || `exit code ${code}`;
  throw new FleetError('NOT_REBOOTED', `${rack.jumphost.name} does not reboot: ${why}`);
}
