/**
 * Decides when a jumphost may be rebooted: no cycle is running, and no outlet depends on it. Machines' tasks continue
 * meanwhile. Then waits until its services are ready.
 */

import { type Client, type powerCycleDaemonApi, whyFetchFailed } from '@skolo/api';
import { cyclesUnderWay } from '@skolo/api/cycles-under-way';
import { anotherRack, rackHeader } from '@skolo/api/rack-header';
import { errorText, withDeadline } from '@skolo/base';
import type { Fetch } from '@skolo/base/internet';
import type { Rack } from '@skolo/rack';
import { jumphostServices, serviceMetricsUrl } from '@skolo/rack/light';
import { bootIdOf, ComputerError, type Host, sendReboot, waitUntil } from '@skolo/setup/engine';

export interface RebootDeps {
  rack: Rack;
  host: Pick<Host, 'run' | 'need'>;
  /** Reaches services of the rack. */
  fetch: Fetch;
  power: Pick<Client<typeof powerCycleDaemonApi>, 'hold' | 'release' | 'cycles' | 'controllers'>;
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

/** Until a service has told whether it is ready. A booting jumphost may accept a connection and be silent. */
const answerMs = 10_000;

const usual: Limits = { quiet: 30 * 60_000, back: 15 * 60_000, betweenLooks: 2000 };

/**
 * A hold of the rack prevents new cycles. Running cycles and outlets that must be turned on finish first, because nothing
 * would turn them on meanwhile.
 *
 * @throws ComputerError Cycles do not finish in time, or it does not reboot or come back.
 * @throws ApiError @throws ApiUnreachable Nothing was done.
 */
export async function rebootJumphost(deps: RebootDeps): Promise<void> {
  const { rack, report, now } = deps;
  const limits = { ...usual, ...deps.limits };
  const until = new Date(now() + limits.quiet + 2 * limits.back).toISOString();
  const release = await waitUntilQuiet(deps, 'the jumphost is rebooting', until, limits);
  try {
    const before = await bootIdOf(deps.host);
    await sendReboot(deps.host);
    report(`${rack.jumphost.name} is rebooting`);
    await wait(deps, limits, limits.back, () => whyNotBack(deps, before));
    report(`${rack.jumphost.name} has rebooted`);
    await wait(deps, limits, limits.back, () => whoIsNotReady(deps));
    report('all services are ready');
  } finally {
    await release();
  }
}

/**
 * Holds the rack, and waits for running cycles and for outlets that must be turned on.
 *
 * @param until when the hold ends automatically
 * @returns ends the hold
 * @throws ComputerError Cycles do not finish in time. @throws ApiError @throws ApiUnreachable Nothing was done.
 */
export async function waitUntilQuiet(
  deps: Pick<RebootDeps, 'rack' | 'power' | 'report' | 'signal'>,
  reason: string,
  until: string,
  limits: Limits = usual,
): Promise<() => Promise<void>> {
  const { rack, power, report } = deps;
  const { holds } = await power.hold({ body: { targets: [rack.name], reason, until } });
  const release = async () => {
    await Promise.all(holds.map(({ id }) => power.release({ params: { id }, query: {} }))).catch(
      (error: unknown) =>
        report(`cannot release the hold: ${errorText(error)}; it ends automatically at ${until}`),
    );
  };
  report(`${rack.name} is on hold: no new power cycles start`);
  try {
    await wait(deps, limits, limits.quiet, () => whatIsUnderWay(deps));
    return release;
  } catch (error) {
    await release();
    throw error;
  }
}

/** Undefined: nothing. */
async function whatIsUnderWay({ power }: Pick<RebootDeps, 'power'>): Promise<string | undefined> {
  const cycles = (await cyclesUnderWay(power)).map(({ target }) => target);
  // Last, because a cycle that fails meanwhile leaves its outlet off.
  const { controllers } = await power.controllers();
  const stuck = controllers.flatMap(({ stuckOutlets = [] }) => stuckOutlets);
  if (cycles.length > 0) return `${cycles.join(', ')}: being power-cycled`;
  return stuck.length > 0 ? `${stuck.join(', ')}: off and not turned on again yet` : undefined;
}

async function whyNotBack(deps: RebootDeps, before: string): Promise<string | undefined> {
  const id = await bootIdOf(deps.host);
  return id === before ? `${deps.rack.jumphost.name}: not rebooted yet` : undefined;
}

async function whoIsNotReady({ rack, fetch, signal }: RebootDeps): Promise<string | undefined> {
  const looks = jumphostServices.map(async (service) => {
    const url = `${serviceMetricsUrl(rack, service)}/readyz`;
    try {
      const late = () => new Error(`no response within ${answerMs / 1000} s`);
      const { status, headers } = await withDeadline({ ms: answerMs, late, signal }, (limit) =>
        fetch(url, { signal: limit }),
      );
      const misdirected = anotherRack(headers.get(rackHeader), rack.name);
      if (misdirected !== undefined) return [`${service}: ${misdirected}`];
      return status === 200 ? [] : [`${service}: not ready (${status})`];
    } catch (error) {
      return [`${service}: ${whyFetchFailed(error)}`];
    }
  });
  const [first] = (await Promise.all(looks)).flat();
  return first;
}

/** @throws ComputerError A condition is still not met. */
async function wait(
  { rack, report, signal }: Pick<RebootDeps, 'rack' | 'report' | 'signal'>,
  { betweenLooks }: Limits,
  withinMs: number,
  look: () => Promise<string | undefined>,
): Promise<void> {
  const why = await waitUntil(look, { withinMs, pollMs: betweenLooks, signal, report });
  if (why === undefined) return;
  throw new ComputerError(
    `${rack.name}: ${why}; gave up after ${Math.round(withinMs / 60_000)} min`,
  );
}
