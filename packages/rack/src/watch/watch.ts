/**
 * Watches rack.yaml, and how often the file is read again: a valid change is active within two seconds. An invalid one is rejected, and
 * the last valid version stays active, even after a restart.
 *
 * Notifications (`fs.watch`) make it fast. Polling once a second makes it reliable: network file systems have no
 * notifications, and a symlink can point to any directory.
 */
import { pause } from '@skolo/base';
import { readVersion } from './file-version.ts';
import { LastGoodCopy } from './last-good-copy.ts';
import {
  parseVersion,
  type RackWatch,
  RackWatcher,
  usableVersion,
  type WatchRackOptions,
  type WatchState,
  type WatchTuning,
} from './rack-watcher.ts';

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
 * @throws RackError The file is missing, unreadable or has no usable part, and there is no last valid copy.
 */
export async function watchRack(options: WatchRackOptions): Promise<RackWatch> {
  const tuning = { ...defaultTuning, ...options.tuning };
  const report = (error: Error) => options.onError?.(error);
  const lastGood = new LastGoodCopy(options.stateDir, report);
  const copy = await lastGood.read();

  let version = await readVersion(options.file);
  let outcome = parseVersion(version, options);
  if ('rejected' in outcome) {
    // An editor may be saving it.
    await pause(tuning.recheck);
    version = await readVersion(options.file);
    outcome = parseVersion(version, options);
  }
  if ('rack' in outcome) {
    await lastGood.write(outcome.text);
    return watching({ ...outcome, checked: version });
  }
  const { rejected } = outcome;
  const good = copy === undefined ? undefined : parseVersion({ text: copy }, options);
  if (good && 'rack' in good) {
    options.onRejected(rejected);
    const rejection = {
      error: rejected,
      since: new Date(),
      instead: 'the last valid copy is active',
    };
    return watching({ ...good, checked: version, rejection });
  }
  const rest = usableVersion(version, options);
  if (rest?.disabled) {
    options.onRejected(rejected);
    options.onDisabled?.(rest.disabled);
    const { what } = rest.disabled;
    const instead = `disabled until fixed: ${inShort(what)}; the rest is active`;
    const rejection = { error: rejected, since: new Date(), instead };
    return watching({ rack: rest, text: undefined, checked: version, rejection });
  }
  if (good) {
    report(new Error(`${lastGood.path} cannot be used either:\n${good.rejected.message}`));
  }
  throw rejected;

  function watching(state: WatchState): RackWatch {
    const watcher = new RackWatcher({ options, tuning, lastGood, report }, state);
    watcher.start();
    return watcher;
  }
}
