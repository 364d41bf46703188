import { type Clock, errorText, type Logger, orAborted } from '@skolo/common/light';
import type { AttachedDevice, Device, DeviceView, Look } from './device.ts';

export interface DeviceWatchDeps {
  entry: AttachedDevice;
  device: Pick<Device, 'look'>;
  /** How often it is read, in seconds. */
  readSeconds: () => number;
  clock: Clock;
  log: Pick<Logger, 'info' | 'warn' | 'error'>;
  /** Something is known that was not: after each look. */
  onChange: () => void;
  /** What a look found, and how long it took. */
  onLook?: (view: DeviceView, seconds: number) => void;
  /** 0 to 1; Math.random by default. */
  random?: () => number;
}

/** Of the pause between two looks, so that several devices do not ask their one adb server at the same time for ever. */
const jitter = 0.2;

/** Looks at a device again and again, in the background. What it found last is known at once, without waiting. */
export class DeviceWatch {
  private readonly deps: DeviceWatchDeps;
  private readonly ended = new AbortController();
  private known: DeviceView;
  private looking: Promise<DeviceView> | undefined;
  private timer: NodeJS.Timeout | undefined;

  constructor(deps: DeviceWatchDeps) {
    this.deps = deps;
    const { name, fullName, kind } = deps.entry;
    this.known = { name, fullName, kind, state: 'unknown', since: new Date(deps.clock.now()) };
  }

  /** Looks at once, and then until it is stopped. */
  start(): void {
    this.lookNow().catch(() => undefined);
  }

  view(): DeviceView {
    return this.known;
  }

  /**
   * Looks; a look that is under way is shared. The pause to the next one begins anew.
   *
   * @throws The reason of the signal; the look goes on. Or that the watch has ended.
   */
  async lookNow(signal?: AbortSignal): Promise<DeviceView> {
    signal?.throwIfAborted();
    this.ended.signal.throwIfAborted();
    this.looking ??= this.look().finally(() => {
      this.looking = undefined;
      this.lookLater();
    });
    return await orAborted(this.looking, signal);
  }

  stop(): void {
    clearTimeout(this.timer);
    this.ended.abort(new Error(`${this.deps.entry.fullName} is not watched any more`));
  }

  private lookLater(): void {
    clearTimeout(this.timer);
    if (this.ended.signal.aborted) return;
    const { readSeconds, random = Math.random } = this.deps;
    const ms = readSeconds() * 1000 * (1 + jitter * (random() - 0.5));
    this.timer = setTimeout(() => this.start(), ms);
  }

  private async look(): Promise<DeviceView> {
    const { device, clock, log, entry, onLook, onChange } = this.deps;
    const from = clock.uptime();
    let found: Look;
    try {
      found = await device.look(this.ended.signal);
    } catch (error) {
      this.ended.signal.throwIfAborted();
      // A look never throws; were it to, the device is in no known state, and that is said.
      log.error({ err: error, device: entry.fullName }, 'look at device failed');
      found = { state: 'missing', why: errorText(error) };
    }
    this.ended.signal.throwIfAborted();
    const before = this.known;
    this.known = next(before, found, entry, new Date(clock.now()));
    this.tell(before, this.known);
    onLook?.(this.known, clock.uptime() - from);
    onChange();
    return this.known;
  }

  private tell(before: DeviceView, now: DeviceView): void {
    if (before.state === now.state && before.why === now.why) return;
    const { fullName: device, kind, why } = now;
    const { log } = this.deps;
    if (now.state === 'missing') log.warn({ device, kind, why }, 'device missing');
    else if (before.state !== now.state) log.info({ device, kind }, 'device present');
  }
}

function next(before: DeviceView, found: Look, entry: AttachedDevice, readAt: Date): DeviceView {
  const { name, fullName } = entry;
  const reading = found.state === 'present' ? found.reading : before.reading;
  return {
    name,
    fullName,
    kind: reading?.kind ?? entry.kind,
    state: found.state,
    since: found.state === before.state ? before.since : readAt,
    readAt,
    ...(found.state === 'missing' && { why: found.why }),
    ...(reading !== undefined && { reading }),
  };
}
