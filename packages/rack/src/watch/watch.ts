/**
 * Watches rack.yaml: a valid change is in force within two seconds. An invalid one is rejected, and the last good version
 * stays in force, also over a restart.
 *
 * Notifications (`fs.watch`) make it fast. Polling once a second makes it reliable: network file systems have no
 * notifications, and a symlink can point to any folder.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { RackError } from '../issues/issues.ts';
import type { Disabled, Rack } from '../rack/rack.ts';
import type { parseRack } from '../read/load.ts';
import type { ServiceName } from '../schema/service-ports.ts';
import { VersionedFile, versionOf } from './file-version.ts';
import { LastGoodCopy } from './last-good-copy.ts';
import { parseVersion, RackWatcher, salvageVersion, type WatchState } from './rack-watcher.ts';

/** The inventory in force. */
export interface RackWatch {
  /** Path of rack.yaml. */
  readonly file: string;
  readonly rack: Rack;
  /** The newest edit is rejected, or the last good copy cannot be written. */
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
  /** Folder of the last good copy. Made if missing. */
  stateDir: string;
  /** Once for each rejected content, also at the start. */
  onRejected(error: RackError): void;
  /** At a start without a last good copy: the disabled part. */
  onDisabled?(disabled: Disabled): void;
  /** The newest content is in force: after a change, or after a rejected edit was undone. */
  onReload?(rack: Rack): void;
  /** Not fatal: the state directory cannot be written, or a listener threw. */
  onError?(error: Error): void;
  parse?: typeof parseRack;
  tuning?: Partial<WatchTuning>;
}

/** For tests; the defaults keep the promise of two seconds. In milliseconds. */
export interface WatchTuning {
  /** Interval of polling. */
  poll: number;
  /** A changed file must be stable for this long. */
  settle: number;
  /** A file that is not stable is read after this time. */
  settleAtMost: number;
  /** Time for an invalid file to become valid before it is rejected. */
  recheck: number;
  /** Pause between attempts to write the last good copy. */
  retry: number;
  /** Whether to use notifications. */
  notify: boolean;
}

const defaultTuning: WatchTuning = {
  poll: 1_000,
  settle: 100,
  settleAtMost: 700,
  recheck: 300,
  retry: 60_000,
  notify: true,
};

const mostShown = 5;

function inShort(what: readonly string[]): string {
  const more = what.length > mostShown ? ` and ${what.length - mostShown} more` : '';
  return `${what.slice(0, mostShown).join(', ')}${more}`;
}

/**
 * Reads rack.yaml and watches it.
 *
 * @throws RackError The file is missing, unreadable or has no usable part, and there is no valid last good copy.
 */
export async function watchRack(options: WatchRackOptions): Promise<RackWatch> {
  const tuning = { ...defaultTuning, ...options.tuning };
  const report = (error: Error) => options.onError?.(error);
  const file = new VersionedFile(options.file);
  const lastGood = new LastGoodCopy(options.stateDir, report);
  const copy = await lastGood.read();

  let version = await file.read();
  let outcome = parseVersion(version, options);
  if ('rejected' in outcome) {
    // An editor may be saving it.
    await sleep(tuning.recheck);
    version = await file.read();
    outcome = parseVersion(version, options);
  }
  if ('rack' in outcome) {
    await lastGood.keep(outcome.text);
    return watching({ ...outcome, checked: version.key });
  }
  const { rejected } = outcome;
  const good = copy === undefined ? undefined : parseVersion(versionOf(copy), options);
  if (good && 'rack' in good) {
    options.onRejected(rejected);
    const rejection = {
      error: rejected,
      since: new Date(),
      instead: 'the last good copy is in force',
    };
    return watching({ ...good, checked: version.key, rejection });
  }
  const rest = salvageVersion(version, options);
  if (rest?.disabled) {
    options.onRejected(rejected);
    options.onDisabled?.(rest.disabled);
    const { what } = rest.disabled;
    const instead = `disabled until corrected: ${inShort(what)}; the rest is in force`;
    const rejection = { error: rejected, since: new Date(), instead };
    return watching({ rack: rest, text: undefined, checked: version.key, rejection });
  }
  if (good) {
    report(new Error(`${lastGood.path} cannot be used either:\n${good.rejected.message}`));
  }
  throw rejected;

  function watching(state: WatchState): RackWatch {
    const watcher = new RackWatcher({ options, tuning, file, lastGood, report }, state);
    watcher.start();
    return watcher;
  }
}
