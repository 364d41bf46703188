/** Detects, checks and applies changes of rack.yaml. */
import { type FSWatcher, watch } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { asError } from '@skolo/base';
import { RackError, unreadableRack, wholeFile } from '../issues/issues.ts';
import type { Rack } from '../rack/rack.ts';
import { parseRack, salvageRack } from '../read/load.ts';
import type { FileVersion, VersionedFile } from './file-version.ts';
import type { LastGoodCopy } from './last-good-copy.ts';
import type { RackWatch, WatchRackOptions, WatchTuning } from './watch.ts';

/** Notifications come in bursts, and in a busy folder they never stop. */
const burstMs = 20;

interface WatchDeps {
  options: WatchRackOptions;
  tuning: WatchTuning;
  file: VersionedFile;
  lastGood: LastGoodCopy;
  report(error: Error): void;
}

/** Why the file is not in force, for `degraded`. */
interface Rejection {
  error: RackError;
  since: Date;
  /** What is in force instead. */
  instead: string;
}

export interface WatchState {
  rack: Rack;
  /** Text of `rack`; undefined if `rack` is only the usable part. */
  text: string | undefined;
  /** Key of the version that was last accepted or rejected. */
  checked: string;
  /** Why that version is not in force, or only partly. */
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
      const why = `${trouble.error.message}; after a restart the service would use an older copy, if any`;
      entries.push({ what: 'last good copy of rack.yaml', why, since: trouble.since });
    }
    return entries;
  }

  onChange(listener: (rack: Rack, previous: Rack) => void): () => void {
    // Wrapped, so that the same function can be added twice.
    const entry: typeof listener = (rack, previous) => listener(rack, previous);
    this.listeners.add(entry);
    return () => this.listeners.delete(entry);
  }

  /** Without notifications (no inotify watch left) polling suffices. */
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
    if (this.notified) await sleep(burstMs);
    this.notified = false;
  }

  private async examine() {
    const { file, options, tuning } = this.deps;
    const found = await file.read();
    if (found.key === this.state.checked) return;
    const version = await this.steady(found);
    if (version.key === this.state.checked) return;

    if ('text' in version && version.text === this.state.text) {
      this.restore(version.key);
      return;
    }
    const outcome = parseVersion(version, options);
    if ('rack' in outcome) {
      await this.accept(outcome, version.key);
      return;
    }
    await this.pause(tuning.recheck);
    const again = await file.read();
    if (again.key === version.key) this.reject(outcome.rejected, version.key);
    else this.notified = true;
  }

  /** Waits until the file is stable: half of an inventory can be valid. */
  private async steady(found: FileVersion): Promise<FileVersion> {
    const { file, tuning } = this.deps;
    const giveUp = performance.now() + tuning.settleAtMost;
    let version = found;
    for (;;) {
      await this.pause(tuning.settle);
      const next = await file.read();
      if (next.key === version.key || performance.now() > giveUp) return next;
      version = next;
    }
  }

  private async accept({ rack, text }: { rack: Rack; text: string }, key: string) {
    const previous = this.state.rack;
    this.state = { rack, text, checked: key };
    for (const listener of [...this.listeners]) this.notify(() => listener(rack, previous));
    this.notify(() => this.deps.options.onReload?.(rack));
    await this.keepCopy();
  }

  /** A rejected edit was undone: the file is the version in force. */
  private restore(key: string) {
    const { rack, text } = this.state;
    this.state = { rack, text, checked: key };
    this.notify(() => this.deps.options.onReload?.(rack));
  }

  private reject(error: RackError, key: string) {
    const { rack, text, rejection } = this.state;
    const since = rejection?.since ?? new Date();
    const instead = rejection?.instead ?? 'the previous version stays in force';
    this.state = { rack, text, checked: key, rejection: { error, since, instead } };
    this.notify(() => this.deps.options.onRejected(error));
  }

  private async retryCopy() {
    const due = performance.now() - this.keptAt >= this.deps.tuning.retry;
    if (this.deps.lastGood.trouble && due) await this.keepCopy();
  }

  private async keepCopy() {
    this.keptAt = performance.now();
    if (this.state.text !== undefined) await this.deps.lastGood.keep(this.state.text);
  }

  private notify(listener: () => void) {
    try {
      listener();
    } catch (error) {
      this.deps.report(asError(error));
    }
  }

  private async pause(ms: number) {
    await sleep(ms, undefined, { signal: this.closing.signal });
  }
}

/** The usable part of a rejected version. */
export function salvageVersion(
  version: FileVersion,
  { file, service }: Pick<WatchRackOptions, 'file' | 'service'>,
): Rack | undefined {
  if ('unreadable' in version) return undefined;
  try {
    return salvageRack(version.text, { file, strictFor: service });
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
    return { rejected: wholeFile(file, `the check failed: ${asError(error).message}`) };
  }
}

function inShort(error: RackError): string {
  const [first, ...rest] = error.message.split('\n');
  return rest.length === 0 ? `${first}` : `${first} (and ${rest.length} more)`;
}
