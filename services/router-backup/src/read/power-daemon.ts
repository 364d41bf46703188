/**
 * Decides when a backup gives way to the power-cycle daemon, because a power cycle comes before a backup. If the daemon is down, rejects the
 * request or answers nonsense, no device is needed.
 */
import {
  type ControllerStatus,
  createClient,
  type PowerCycle,
  powerCycleDaemonApi,
} from '@skolo/api';
import { cyclesUnderWay } from '@skolo/api/cycles-under-way';
import { errorText, orAborted, repeat } from '@skolo/base';
import { readSecret } from '@skolo/base/secrets';
import { type Clock, type Logger, systemClock } from '@skolo/common';
import { DeviceBusy } from '@skolo/equipment/transports';
import { formatOutlet, parseOutlet, type Rack, serviceUrl } from '@skolo/rack';

export interface PowerDaemonDeps {
  rack: () => Rack;
  log?: Pick<Logger, 'info'>;
  clock?: Pick<Clock, 'uptime'>;
  /** How long it has to answer. */
  timeoutMs?: number;
  /** How often it is polled while devices are read. One answer serves all of them. */
  pollMs?: number;
}

type Names = ReadonlySet<string>;

interface Wanted {
  names: Names;
  /** Of these, those whose power cycle only waits for the off-time: the daemon does not talk to them. */
  whileOff: Names;
}

const usualPollMs = 2000;
/** An answer is reused for slightly less than a poll interval, so that each poll gets a new one. */
const slackMs = 50;
/** A thousand cycles with their steps take some megabytes. */
const mostBytes = 16 * 1024 * 1024;

export class PowerDaemon {
  private readonly deps: PowerDaemonDeps;
  private answer: { at: number; wanted: Promise<Wanted> } | undefined;
  private isSilent = false;

  constructor(deps: PowerDaemonDeps) {
    this.deps = deps;
  }

  /**
   * Names of devices that switch power for a cycle, or wait to, or are being cycled themselves.
   *
   * @throws Only the signal's reason.
   */
  async wanted(signal: AbortSignal): Promise<Names> {
    return (await orAborted(this.latest(), signal)).names;
  }

  /**
   * Does `work` with a device. Gives way to a power cycle, even in the middle. `isFineWhileOff`: not while that only waits.
   *
   * @throws DeviceBusy
   */
  async unlessWanted<T>(
    device: string,
    signal: AbortSignal,
    work: (signal: AbortSignal) => Promise<T>,
    { isFineWhileOff = false } = {},
  ): Promise<T> {
    const busy = () =>
      new DeviceBusy(device, 'it is needed for a power cycle; try again after the cycle');
    const isWanted = ({ names, whileOff }: Wanted) =>
      names.has(device) && !(isFineWhileOff && whileOff.has(device));
    if (isWanted(await orAborted(this.latest(), signal))) throw busy();
    const wanted = new AbortController();
    const look = async () => {
      if (isWanted(await this.latest())) wanted.abort(busy());
    };
    const over = new AbortController();
    repeat(this.deps.pollMs ?? usualPollMs, look, over.signal, 'later');
    try {
      return await work(AbortSignal.any([signal, wanted.signal]));
    } finally {
      over.abort();
    }
  }

  private latest(): Promise<Wanted> {
    const { clock = systemClock, pollMs = usualPollMs } = this.deps;
    const at = clock.uptime();
    if (this.answer === undefined || at - this.answer.at >= (pollMs - slackMs) / 1000) {
      this.answer = { at, wanted: this.ask() };
    }
    return this.answer.wanted;
  }

  private async ask(): Promise<Wanted> {
    const rack = this.deps.rack();
    try {
      const token = await tokenOf(rack);
      const client = createClient(powerCycleDaemonApi, {
        baseUrl: serviceUrl(rack, 'power-cycle-daemon'),
        rack: rack.name,
        timeoutMs: this.deps.timeoutMs ?? 1000,
        mostBytes,
        ...(token !== undefined && { token }),
      });
      const cycles = await cyclesUnderWay(client);
      // Last: a cycle that fails meanwhile leaves its outlet off.
      const { controllers } = await client.controllers();
      this.isSilent = false;
      return wantedBy(rack, controllers, cycles);
    } catch (error) {
      // Once, not for each device every night.
      if (!this.isSilent)
        this.deps.log?.info({ why: errorText(error) }, 'power-cycle daemon not queried');
      this.isSilent = true;
      return { names: new Set(), whileOff: new Set() };
    }
  }
}

/** The daemon may allow reading without a token. */
async function tokenOf(rack: Rack): Promise<string | undefined> {
  const ref = rack.services['router-backup'].powerToken;
  if (ref === undefined) return undefined;
  return readSecret(rack, ref).then(
    (secret) => secret.reveal(),
    () => undefined,
  );
}

/**
 * A single operation in a controller's queue is usually the daemon's reading of its outlets every minute; a backup that gave way to that
 * would hardly finish on a slow device. A machine whose power is on again no longer needs its controller.
 */
function wantedBy(
  rack: Rack,
  controllers: readonly Pick<ControllerStatus, 'name' | 'queue'>[],
  cycles: readonly Pick<PowerCycle, 'target' | 'outlets' | 'step' | 'finishedAt'>[],
): Wanted {
  const names = new Set<string>();
  const waiting = new Set<string>();
  for (const { name, queue } of controllers) if (queue > 1) names.add(name);
  for (const { target, outlets, step, finishedAt } of cycles) {
    if (finishedAt !== undefined) continue;
    names.add(target);
    for (const device of rack.equipment.values()) {
      if (device.power.some((feed) => outlets.includes(formatOutlet(feed)))) names.add(device.name);
    }
    if (step === 'see-back') continue;
    for (const outlet of outlets) {
      const name = parseOutlet(outlet)?.device ?? outlet;
      if (step === 'off' && !names.has(name)) waiting.add(name);
      else names.add(name);
    }
  }
  const known = (all: ReadonlySet<string>) =>
    new Set([...all].filter((name) => rack.equipment.has(name)));
  const whileOff = known(new Set([...waiting].filter((name) => !names.has(name))));
  return { names: known(new Set([...names, ...waiting])), whileOff };
}
