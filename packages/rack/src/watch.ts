/**
 * rack.yaml while a service runs: a valid change is in force within two seconds, an invalid one is refused and the last
 * good version stays in force, over a restart as well.
 *
 * Notifications (`fs.watch`) make it fast where they work. What makes it certain is a look at the file once a second:
 * network file systems have no notifications, and a symlink's target may lie in any folder.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { VersionedFile, versionOf } from './file-version.ts';
import type { RackError } from './issues.ts';
import { LastGoodCopy } from './last-good-copy.ts';
import type { parseRack } from './load.ts';
import type { Disabled, Rack } from './rack.ts';
import { judge, judgeRest, RackWatcher, type WatchState } from './rack-watcher.ts';
import type { ServiceName } from './service-ports.ts';

/** The inventory that is in force, and whether it is the one that it should be. */
export interface RackWatch {
  /** Where rack.yaml is. */
  readonly file: string;
  readonly rack: Rack;
  /** What works less well than it should: the newest edit is refused, or the last good copy cannot be kept. */
  readonly degraded: { what: string; why: string; since: Date }[];
  /** Calls `listener` with each new rack in force. What it throws goes to `onError`. Returns how to end that. */
  onChange(listener: (rack: Rack, previous: Rack) => void): () => void;
  /** Fulfilled once nothing is under way any more: no timer, no watcher, no listener called again. */
  close(): Promise<void>;
}

export interface WatchRackOptions {
  file: string;
  /** Whose sections are checked strictly. */
  service: ServiceName;
  /** Where the last good copy is kept. Made where it is missing. */
  stateDir: string;
  /** Once for each content that is refused, also for the one at the start. */
  onRefused(error: RackError): void;
  /** At a start without a last good copy: what of rack.yaml is disabled, while the rest is in force. */
  onDisabled?(disabled: Disabled): void;
  /** The file's newest content is in force: after a change, and when a refused edit was taken back. */
  onReload?(rack: Rack): void;
  /** Nothing fatal: the state directory cannot be written, a listener threw. */
  onError?(error: Error): void;
  parse?: typeof parseRack;
  tuning?: Partial<WatchTuning>;
}

/** For tests; the defaults keep the promise of two seconds. In milliseconds. */
export interface WatchTuning {
  /** Between two looks at the file. */
  poll: number;
  /** A file that has changed has to stay the same for so long before it is taken seriously. */
  settle: number;
  /** A file that never stays the same for that long is taken as it is after this time. */
  settleAtMost: number;
  /** An invalid file gets so much more time to become valid before it is called refused. */
  recheck: number;
  /** Between two attempts to write the last good copy. */
  retry: number;
  /** Whether to ask for notifications. */
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
 * @throws RackError The file is missing or unreadable, or nothing of it can be used safely, and there is no last good copy
 * that is valid.
 */
export async function watchRack(options: WatchRackOptions): Promise<RackWatch> {
  const tuning = { ...defaultTuning, ...options.tuning };
  const report = (error: Error) => options.onError?.(error);
  const file = new VersionedFile(options.file);
  const lastGood = new LastGoodCopy(options.stateDir, report);
  const copy = await lastGood.read();

  let version = await file.look();
  let outcome = judge(version, options);
  if ('refused' in outcome) {
    // Perhaps somebody is saving it right now.
    await sleep(tuning.recheck);
    version = await file.look();
    outcome = judge(version, options);
  }
  if ('rack' in outcome) {
    await lastGood.keep(outcome.text);
    return watching({ ...outcome, judged: version.key });
  }
  const { refused } = outcome;
  const good = copy === undefined ? undefined : judge(versionOf(copy), options);
  if (good && 'rack' in good) {
    options.onRefused(refused);
    const refusal = {
      error: refused,
      since: new Date(),
      instead: 'the last good copy is in force',
    };
    return watching({ ...good, judged: version.key, refusal });
  }
  const rest = judgeRest(version, options);
  if (rest?.disabled) {
    options.onRefused(refused);
    options.onDisabled?.(rest.disabled);
    const { what } = rest.disabled;
    const instead = `disabled until it is corrected: ${inShort(what)}; the rest is in force`;
    const refusal = { error: refused, since: new Date(), instead };
    return watching({ rack: rest, text: undefined, judged: version.key, refusal });
  }
  if (good) {
    report(new Error(`${lastGood.path} cannot stand in either:\n${good.refused.message}`));
  }
  throw refused;

  function watching(state: WatchState): RackWatch {
    const watcher = new RackWatcher({ options, tuning, file, lastGood, report }, state);
    watcher.start();
    return watcher;
  }
}
