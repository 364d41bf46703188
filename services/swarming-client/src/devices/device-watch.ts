/** Decides how often phones and other devices are read: those listed in the machine's part of rack.yaml, with a limit for each reading. */
import { isDeepStrictEqual } from 'node:util';
import { errorText, orAborted } from '@skolo/base';
import type { Clock, Emit, EventLog } from '@skolo/common/light';
import type { AgentEvent } from '../events.ts';
import type { AttachedDevice, Device, DeviceReading, DeviceView, Look } from './device.ts';

interface WatchDeps {
  /** How often a device is read, in seconds. */
  readSeconds: () => number;
  clock: Clock;
  log: Pick<EventLog, 'error'>;
  emit: Emit<AgentEvent>;
  /** 0 to 1; Math.random by default. */
  random?: () => number;
}

export class DeviceWatches {
  private readonly deps: WatchDeps & { open: (device: AttachedDevice) => Device };
  private readonly watches = new Map<string, DeviceWatch>();

  constructor(deps: DeviceWatches['deps']) {
    this.deps = deps;
  }

  /** A device with an unchanged entry continues. `none` is not a device. From then on, they are in the order of rack.yaml. */
  follow(entries: readonly AttachedDevice[]): void {
    const attached = entries.filter(({ kind }) => kind !== 'none');
    const wanted = new Map(attached.map((entry) => [entry.name, entry]));
    for (const [name, watch] of this.watches) {
      if (isDeepStrictEqual(watch.entry, wanted.get(name))) continue;
      watch.stop();
      this.watches.delete(name);
    }
    for (const [name, entry] of wanted) {
      const known = this.watches.get(name);
      const watch = known ?? new DeviceWatch(entry, this.deps.open(entry), this.deps);
      this.watches.delete(name);
      this.watches.set(name, watch);
      if (known === undefined) watch.start();
    }
  }

  all(): DeviceWatch[] {
    return [...this.watches.values()];
  }

  get(name: string): DeviceWatch | undefined {
    return this.watches.get(name);
  }

  stop(): void {
    this.follow([]);
  }
}

/** Share of the pause between two readings, so that several devices do not keep using their one adb server at the same time. */
const jitter = 0.2;

/** Reads a device repeatedly in the background. Its last view is available immediately. */
export class DeviceWatch {
  readonly name: string;
  readonly entry: AttachedDevice;
  readonly device: Device;
  private readonly deps: WatchDeps;
  private readonly ended = new AbortController();
  private known: DeviceView;
  private reading: Promise<DeviceView> | undefined;
  private timer: NodeJS.Timeout | undefined;

  constructor(entry: AttachedDevice, device: Device, deps: WatchDeps) {
    this.name = entry.name;
    this.entry = entry;
    this.device = device;
    this.deps = deps;
    const { name, fullName, kind } = entry;
    this.known = { name, fullName, kind, state: 'unknown', since: new Date(deps.clock.now()) };
  }

  /** Reads immediately, and then until it is stopped. */
  start(): void {
    this.readNow().catch(() => undefined);
  }

  view(): DeviceView {
    return this.known;
  }

  /**
   * Reads the device; a reading in progress is shared. The pause before the next one starts over.
   *
   * @throws The signal's reason, while the reading continues. Or an error if the watch has ended.
   */
  async readNow(signal?: AbortSignal): Promise<DeviceView> {
    signal?.throwIfAborted();
    this.ended.signal.throwIfAborted();
    this.reading ??= this.read().finally(() => {
      this.reading = undefined;
      this.readLater();
    });
    return await orAborted(this.reading, signal);
  }

  stop(): void {
    clearTimeout(this.timer);
    this.ended.abort(new Error(`${this.entry.fullName} is no longer monitored`));
  }

  private readLater(): void {
    clearTimeout(this.timer);
    if (this.ended.signal.aborted) return;
    const { readSeconds, random = Math.random } = this.deps;
    const ms = readSeconds() * 1000 * (1 + jitter * (random() - 0.5));
    this.timer = setTimeout(() => this.start(), ms);
  }

  private async read(): Promise<DeviceView> {
    const { clock, log, emit } = this.deps;
    let found: Look;
    const wasPaused = clock.presence.watch();
    try {
      found = await this.device.read(this.ended.signal);
      // What a pause of this process interrupted is no verdict.
      if (found.state !== 'present' && wasPaused())
        found = await this.device.read(this.ended.signal);
    } catch (error) {
      this.ended.signal.throwIfAborted();
      // A reading never throws; if one did, nothing would be known about the device, which no repair of it can change.
      log.error({ err: error, device: this.entry.fullName }, 'device check failed');
      found = { state: 'unknown', code: 'host-fault', why: errorText(error) };
    }
    this.ended.signal.throwIfAborted();
    const before = this.known;
    this.known = next(before, found, this.entry, clock);
    emit({ type: 'device-read', now: this.known, before });
    return this.known;
  }
}

function next(before: DeviceView, found: Look, entry: AttachedDevice, clock: Clock): DeviceView {
  const { name, fullName } = entry;
  const readAt = new Date(clock.now());
  const readUptime = clock.uptime();
  const { reading, ...ages } =
    found.state === 'present' ? withLastFigures(before, found.reading, readAt) : lastOf(before);
  const isReady = found.state === 'missing' || reading?.isReady !== false;
  return {
    name,
    fullName,
    kind: reading?.kind ?? entry.kind,
    state: found.state,
    since: found.state === before.state ? before.since : readAt,
    readAt,
    why: found.state === 'present' ? undefined : found.why,
    code: found.state === 'present' ? undefined : found.code,
    reading,
    ...ages,
    readUptime,
    notReadyUptime: isReady ? undefined : (before.notReadyUptime ?? readUptime),
  };
}

type Figures = Pick<DeviceView, 'reading' | 'batteryAt' | 'heatAt'>;

/** Its figures stay, but nobody knows for how long it has been up or connected. */
function lastOf({ reading, batteryAt, heatAt }: DeviceView): Figures {
  if (reading === undefined) return {};
  const { charging: _, connectedSeconds: __, uptimeSeconds: ___, ...last } = reading;
  return { reading: last, batteryAt, heatAt };
}

/** The reading, with the last figures of the same device in place of those that could not be read. */
function withLastFigures(before: DeviceView, found: DeviceReading, readAt: Date): Figures {
  const last = before.reading?.serial === found.serial ? before.reading : undefined;
  const ofBattery = found.unread?.battery ? last : undefined;
  const ofHeat = found.unread?.heat ? last : undefined;
  const temperatures = { ...ofHeat?.temperatures, ...found.temperatures };
  const inside = [...(ofHeat?.processorSensors ?? []), ...(found.processorSensors ?? [])];
  const thermalStatus = found.thermalStatus ?? ofHeat?.thermalStatus;
  const isHeatOld =
    thermalStatus !== found.thermalStatus ||
    Object.keys(temperatures).some((name) => !(name in found.temperatures));
  const batteryPercent = found.batteryPercent ?? ofBattery?.batteryPercent;
  const processorSensors = [...new Set(inside)];
  return {
    reading: { ...found, batteryPercent, temperatures, processorSensors, thermalStatus },
    batteryAt: found.batteryPercent === undefined ? ofBattery && before.batteryAt : readAt,
    heatAt: isHeatOld ? before.heatAt : readAt,
  };
}
