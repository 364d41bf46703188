/** How `watchRack` notices, judges and takes over changes of rack.yaml. */
import { type FSWatcher, watch } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FileVersion, VersionedFile } from './file-version.ts';
import { RackError } from './issues.ts';
import type { LastGoodCopy } from './last-good-copy.ts';
import { parseRack, salvageRack } from './load.ts';
import type { Rack } from './rack.ts';
import { unreadableRack } from './unreadable.ts';
import type { RackWatch, WatchRackOptions, WatchTuning } from './watch.ts';

/** Notifications come in bursts, and in a busy folder they never stop. */
const burstMs = 20;

export interface WatchDeps {
  options: WatchRackOptions;
  tuning: WatchTuning;
  file: VersionedFile;
  lastGood: LastGoodCopy;
  report(error: Error): void;
}

/** What `degraded` says of a file that is not in force as it is. */
export interface Refusal {
  error: RackError;
  since: Date;
  /** What is in force. */
  instead: string;
}

export interface WatchState {
  rack: Rack;
  /** What `rack` was read from; absent where that was not valid, and `rack` is what could be used of it. */
  text: string | undefined;
  /** Key of the file's version that was last accepted or refused. */
  judged: string;
  /** Why that one is not in force, or not all of it. */
  refusal?: Refusal;
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
    if (this.state.refusal) {
      const { error, since, instead } = this.state.refusal;
      entries.push({ what: 'rack.yaml', why: `refused: ${inShort(error)}; ${instead}`, since });
    }
    const { trouble } = this.deps.lastGood;
    if (trouble) {
      const why = `${trouble.error.message}; a restart would find an older copy, or none`;
      entries.push({ what: 'last good copy of rack.yaml', why, since: trouble.since });
    }
    return entries;
  }

  onChange(listener: (rack: Rack, previous: Rack) => void): () => void {
    // Wrapped, so that a function that listens twice is two listeners.
    const entry: typeof listener = (rack, previous) => listener(rack, previous);
    this.listeners.add(entry);
    return () => this.listeners.delete(entry);
  }

  /** Without notifications (no inotify left, no such thing here) the regular look has to do. */
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
        // Closing ends a pause by an AbortError. All else is our own mistake, and no reason to stop watching.
        if (!signal.aborted) this.deps.report(asError(error));
      }
      await this.nextLook();
    }
  }

  private async nextLook() {
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
    const found = await file.look();
    if (found.key === this.state.judged) return;
    const version = await this.steady(found);
    if (version.key === this.state.judged) return;

    if ('text' in version && version.text === this.state.text) {
      this.takeBack(version.key);
      return;
    }
    const outcome = judge(version, options);
    if ('rack' in outcome) {
      await this.accept(outcome, version.key);
      return;
    }
    await this.pause(tuning.recheck);
    const again = await file.look();
    if (again.key === version.key) this.refuse(outcome.refused, version.key);
    else this.notified = true;
  }

  /** A file may be seen half-written, and half of an inventory can be a valid one: wait until it stays the same. */
  private async steady(found: FileVersion): Promise<FileVersion> {
    const { file, tuning } = this.deps;
    const giveUp = performance.now() + tuning.settleAtMost;
    let version = found;
    for (;;) {
      await this.pause(tuning.settle);
      const next = await file.look();
      if (next.key === version.key || performance.now() > giveUp) return next;
      version = next;
    }
  }

  private async accept({ rack, text }: { rack: Rack; text: string }, key: string) {
    const previous = this.state.rack;
    this.state = { rack, text, judged: key };
    for (const listener of [...this.listeners]) this.tell(() => listener(rack, previous));
    this.tell(() => this.deps.options.onReload?.(rack));
    await this.keepCopy();
  }

  /** A refused edit is undone: the file is what is in force anyway. */
  private takeBack(key: string) {
    const { rack, text } = this.state;
    this.state = { rack, text, judged: key };
    this.tell(() => this.deps.options.onReload?.(rack));
  }

  private refuse(error: RackError, key: string) {
    const { rack, text, refusal } = this.state;
    const since = refusal?.since ?? new Date();
    const instead = refusal?.instead ?? 'the version before it stays in force';
    this.state = { rack, text, judged: key, refusal: { error, since, instead } };
    this.tell(() => this.deps.options.onRefused(error));
  }

  private async retryCopy() {
    const due = performance.now() - this.keptAt >= this.deps.tuning.retry;
    if (this.deps.lastGood.trouble && due) await this.keepCopy();
  }

  private async keepCopy() {
    this.keptAt = performance.now();
    if (this.state.text !== undefined) await this.deps.lastGood.keep(this.state.text);
  }

  private tell(listener: () => void) {
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

/** What can be used safely of a version that is refused. */
export function judgeRest(
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

/** What a version of the file is worth. */
export function judge(
  version: FileVersion,
  { file, service, parse = parseRack }: Pick<WatchRackOptions, 'file' | 'service' | 'parse'>,
): { rack: Rack; text: string } | { refused: RackError } {
  if ('unreadable' in version) return { refused: unreadableRack(file, version.unreadable) };
  try {
    return { rack: parse(version.text, { file, strictFor: service }), text: version.text };
  } catch (error) {
    if (error instanceof RackError) return { refused: error };
    return { refused: wholeFile(file, `the check itself failed: ${asError(error).message}`) };
  }
}

function wholeFile(file: string, message: string): RackError {
  return new RackError([{ file, line: 1, column: 1, path: '', message }]);
}

function inShort(error: RackError): string {
  const [first, ...rest] = error.message.split('\n');
  return rest.length === 0 ? `${first}` : `${first} (and ${rest.length} more)`;
}

function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}
