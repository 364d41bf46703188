/** Decides when an edited rack.yaml becomes active, or is rejected: detects, checks and applies changes. */
import { type FSWatcher, watch } from 'node:fs';
import { dirname } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { asError, pause } from '@skolo/base';
import { RackError, unreadableRack, wholeFile } from '../issues/issues.ts';
import type { Disabled, Rack } from '../rack/rack.ts';
import { parseRack, usableRack } from '../read/load.ts';
import type { ServiceName } from '../schema/service-ports.ts';
import { type FileVersion, readVersion } from './file-version.ts';
import type { LastGoodCopy } from './last-good-copy.ts';

/** The active inventory. */
export interface RackWatch {
  /** Path of rack.yaml. */
  readonly file: string;
  readonly rack: Rack;
  /** The newest edit is rejected, or the last valid copy cannot be written. */
  readonly degraded: { what: string; why: string; since: Date }[];
  /** Calls `listener` with each new rack until the returned function is called. Its errors go to `onError`. */
  onChange(listener: (rack: Rack, previous: Rack) => void): () => void;
  /** Resolves when no timer, watcher or listener is active. */
  close(): Promise<void>;
}

export interface WatchRackOptions {
  file: string;
  /** Its sections are checked strictly. */
  service: ServiceName;
  /** Directory of the last valid copy, created if missing. */
  stateDir: string;
  /** Called once for each rejected content, including at startup. */
  onRejected(error: RackError): void;
  /** At a start without a last valid copy: the disabled part. */
  onDisabled?(disabled: Disabled): void;
  /** The newest content is active, after a change or after a rejected edit was undone. */
  onReload?(rack: Rack): void;
  /** Not fatal: the state directory cannot be written, or a listener threw. */
  onError?(error: Error): void;
  parse?: typeof parseRack;
  tuning?: Partial<WatchTuning>;
}

/** For tests; the defaults guarantee two seconds. In milliseconds. */
export interface WatchTuning {
  /** Interval of polling. */
  poll: number;
  /** A changed file must be stable for this long. */
  settle: number;
  /** A file that does not become stable is read after this time. */
  settleAtMost: number;
  /** Time for an invalid file to become valid before it is rejected. */
  recheck: number;
  /** Pause between attempts to write the last valid copy. */
  retry: number;
  /** Whether to use notifications. */
  notify: boolean;
}

/** Notifications arrive in bursts, and in a busy directory they never stop. */
const burstMs = 20;

interface WatchDeps {
  options: WatchRackOptions;
  tuning: WatchTuning;
  lastGood: LastGoodCopy;
  report(error: Error): void;
}

/** Why the file is not active, for `degraded`. */
interface Rejection {
  error: RackError;
  since: Date;
  /** What is active instead. */
  instead: string;
}

export interface WatchState {
  rack: Rack;
  /** Text of `rack`; undefined if `rack` is only the usable part. */
  text: string | undefined;
  /** The version that was last accepted or rejected. */
  checked: FileVersion;
  /** Why that version is not or only partly active. */
  rejection?: Rejection;
}

export class RackWatcher implements RackWatch {
  private readonly deps: WatchDeps;
  private readonly closing = new AbortController();
  private readonly listeners = new Set<(rack: Rack, previous: Rack) => void>();
  private state: WatchState;
  private notifications: FSWatcher | undefined;
  private notified = false;
  private wake: () => void = () => undefined;
  private running: Promise<void> = Promise.resolve();
  private keptAt = performance.now();

  constructor(deps: WatchDeps, state: WatchState) {
    this.deps = deps;
    this.state = state;
  }

  start(): void {
    this.subscribe();
    this.running = this.run();
  }

  async close(): Promise<void> {
    this.closing.abort();
    this.wake();
    this.notifications?.close();
    await this.running;
  }

  get file(): string {
    return this.deps.options.file;
  }

  get rack(): Rack {
    return this.state.rack;
  }

  get degraded(): RackWatch['degraded'] {
    const entries: RackWatch['degraded'] = [];
    if (this.state.rejection) {
      const { error, since, instead } = this.state.rejection;
      entries.push({ what: 'rack.yaml', why: `rejected: ${inShort(error)}; ${instead}`, since });
    }
    const { trouble } = this.deps.lastGood;
    if (trouble) {
      const why = `${trouble.error.message}; if rack.yaml is invalid when the service next starts, the service may use an older copy`;
      entries.push({ what: 'last valid copy of rack.yaml', why, since: trouble.since });
    }
    return entries;
  }

  onChange(listener: (rack: Rack, previous: Rack) => void): () => void {
    // Wrapped, so that the same function can be added twice.
    const entry: typeof listener = (rack, previous) => listener(rack, previous);
    this.listeners.add(entry);
    return () => this.listeners.delete(entry);
  }

  /** Without notifications (no inotify watches left), polling suffices. */
  private subscribe() {
    if (!this.deps.tuning.notify) return;
    try {
      const notifications = watch(dirname(this.deps.options.file), () => {
        this.notified = true;
        this.wake();
      });
      notifications.on('error', () => notifications.close());
      this.notifications = notifications;
    } catch {
      this.notifications = undefined;
    }
  }

  private async run() {
    const { signal } = this.closing;
    while (!signal.aborted) {
      try {
        await this.examine();
        await this.retryCopy();
      } catch (error) {
        // Closing ends a pause with an AbortError. Any other error is a bug, but must not stop the watch.
        if (!signal.aborted) this.deps.report(asError(error));
      }
      await this.nextPoll();
    }
  }

  private async nextPoll() {
    if (!this.notified && !this.closing.signal.aborted) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, this.deps.tuning.poll);
        this.wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    if (this.notified) await pause(burstMs);
    this.notified = false;
  }

  private async examine() {
    const { options, tuning } = this.deps;
    const found = await readVersion(options.file);
    if (isDeepStrictEqual(found, this.state.checked)) return;
    const version = await this.steady(found);
    if (isDeepStrictEqual(version, this.state.checked)) return;

    if ('text' in version && version.text === this.state.text) {
      this.restore(version);
      return;
    }
    const outcome = parseVersion(version, options);
    if ('rack' in outcome) {
      await this.accept(outcome, version);
      return;
    }
    await pause(tuning.recheck, this.closing.signal);
    const again = await readVersion(options.file);
    if (isDeepStrictEqual(again, version)) this.reject(outcome.rejected, version);
    else this.notified = true;
  }

  /** Waits until the file is stable, because half of an inventory can be valid. */
  private async steady(found: FileVersion): Promise<FileVersion> {
    const { options, tuning } = this.deps;
    const giveUp = performance.now() + tuning.settleAtMost;
    let version = found;
    for (;;) {
      await pause(tuning.settle, this.closing.signal);
      const next = await readVersion(options.file);
      if (isDeepStrictEqual(next, version) || performance.now() > giveUp) return next;
      version = next;
    }
  }

  private async accept({ rack, text }: { rack: Rack; text: string }, checked: FileVersion) {
    const previous = this.state.rack;
    this.state = { rack, text, checked };
    for (const listener of [...this.listeners]) this.notify(() => listener(rack, previous));
    this.notify(() => this.deps.options.onReload?.(rack));
    await this.writeCopy();
  }

  /** A rejected edit was undone, so the file is the active version. */
  private restore(checked: FileVersion) {
    const { rack, text } = this.state;
    this.state = { rack, text, checked };
    this.notify(() => this.deps.options.onReload?.(rack));
  }

  private reject(error: RackError, checked: FileVersion) {
    const { rack, text, rejection } = this.state;
    const since = rejection?.since ?? new Date();
    const instead = rejection?.instead ?? 'the previous version stays in effect';
    this.state = { rack, text, checked, rejection: { error, since, instead } };
    this.notify(() => this.deps.options.onRejected(error));
  }

  private async retryCopy() {
    const due = performance.now() - this.keptAt >= this.deps.tuning.retry;
    if (this.deps.lastGood.trouble && due) await this.writeCopy();
  }

  private async writeCopy() {
    this.keptAt = performance.now();
    if (this.state.text !== undefined) await this.deps.lastGood.write(this.state.text);
  }

  private notify(listener: () => void) {
    try {
      listener();
    } catch (error) {
      this.deps.report(asError(error));
    }
  }
}

/** The usable part of a rejected version. */
export function usableVersion(
  version: FileVersion,
  { file, service }: Pick<WatchRackOptions, 'file' | 'service'>,
): Rack | undefined {
  if ('unreadable' in version) return undefined;
  try {
    return usableRack(version.text, { file, strictFor: service });
  } catch {
    return undefined;
  }
}

/** Parses a version of the file. */
export function parseVersion(
  version: FileVersion,
  { file, service, parse = parseRack }: Pick<WatchRackOptions, 'file' | 'service' | 'parse'>,
): { rack: Rack; text: string } | { rejected: RackError } {
  if ('unreadable' in version) return { rejected: unreadableRack(file, version.unreadable) };
  try {
    return { rack: parse(version.text, { file, strictFor: service }), text: version.text };
  } catch (error) {
    if (error instanceof RackError) return { rejected: error };
    return {
      rejected: wholeFile(file, `the check failed unexpectedly: ${asError(error).message}`),
    };
  }
}

function inShort(error: RackError): string {
  const [first, ...rest] = error.message.split('\n');
  return rest.length === 0 ? `${first}` : `${first} (and ${rest.length} more)`;
}
