/**
 * The journal's records of a cycle's outlets, written along with the cycle itself: those that must be turned on again, and those that a
 * person turned off. Each function returns changes that become durable together with the record.
 */
import type { Change } from '@skolo/base/durable';
import {
  type CycleRecord,
  type Feed,
  feedKey,
  isStanding,
  type PendingOn,
  restoreOf,
} from './records.ts';
import type { Store } from './store.ts';

/** When it is accepted: an operator's on or off takes effect from then on. */
export function onAccepted(store: Store, record: CycleRecord): Change[] {
  if (!isStanding(record)) return [];
  const { pendingOns, switchedOff } = store;
  const { action, target, feeds, by, reason, requestedAt: at } = record;
  if (action === 'on') return feeds.map((feed) => switchedOff.remove(feedKey(feed)));
  return feeds.flatMap((feed) => [
    switchedOff.put({ ...feed, target, by, reason, at }),
    pendingOns.remove(feedKey(feed)),
  ]);
}

/** Before its outlets are touched: on again, or off if a person wants that, and restored as they were. */
export function beforeTouching(store: Store, record: CycleRecord, now: number): Change[] {
  const { pendingOns, switchedOff } = store;
  const { action, feeds } = record;
  if (action !== 'off') {
    return feeds.flatMap((feed) => [
      pendingOns.put(pendingOnOf(store, record, feed, now)),
      ...(action === 'on' ? [switchedOff.remove(feedKey(feed))] : []),
    ]);
  }
  return feeds.flatMap((feed) => {
    const off = switchedOff.get(feedKey(feed));
    const known = restoreOf(feed);
    if (off === undefined || Object.keys(known).length === 0) return [];
    return [switchedOff.put({ ...off, ...known })];
  });
}

/** Outlets of a controller that commands of the last process, or of cycles in progress, may still turn off or on. */
export function unfinishedOutlets(
  store: Store,
  controller: string,
): (Feed & { offSeconds: number })[] {
  const pending = [...store.pendingOns.all.values()].map((feed) => ({ ...feed, offSeconds: 0 }));
  const begun = store
    .active()
    .filter((record) => record.begun)
    .flatMap(({ feeds, offSeconds }) => feeds.map((feed) => ({ ...feed, offSeconds })));
  return [...pending, ...begun].filter((feed) => feed.controller === controller);
}

/** The existing record, or a new one. */
export function pendingOnOf(
  { pendingOns }: Store,
  { id }: CycleRecord,
  feed: Feed,
  now: number,
): PendingOn {
  const since = new Date(now).toISOString();
  return pendingOns.get(feedKey(feed)) ?? { ...feed, since, cycle: id };
}

/** After a change of the cycle. A device's own cycle has turned on again what it turned off. */
export function onChanged(
  store: Store,
  previous: CycleRecord,
  record: CycleRecord,
  now: number,
): Change[] {
  const { id, phase, feeds } = record;
  const { pendingOns } = store;
  const isAgain = previous.phase === 'see-back' || previous.phase === 'put-back';
  if (phase === 'turn-on' && isAgain) {
    return feeds.map((feed) => pendingOns.put(pendingOnOf(store, record, feed, now)));
  }
  if (record.action !== 'cycle') return phase === 'finished' ? onSwitched(store, record) : [];
  if (previous.phase !== 'turn-off' || (phase !== 'see-back' && phase !== 'finished')) return [];
  const own = feeds.map(feedKey).filter((key) => pendingOns.get(key)?.cycle === id);
  return own.map((key) => pendingOns.remove(key));
}

/** A program's off counts once verified. An operator's counted before, and does not if it was not allowed after all. */
function onSwitched({ pendingOns, switchedOff }: Store, record: CycleRecord): Change[] {
  const { action, target, feeds, by, reason, requestedAt: at } = record;
  const outcome = record.otherwise ?? record.outcome;
  if (action === 'on') {
    const { previously = [] } = record;
    return outcome === 'failed' ? previously.map((each) => switchedOff.put(each)) : [];
  }
  if (outcome === 'off' && !isStanding(record)) {
    return feeds.flatMap((feed) => [
      switchedOff.put({ ...switchedOff.get(feedKey(feed)), ...feed, target, by, reason, at }),
      pendingOns.remove(feedKey(feed)),
    ]);
  }
  if (outcome === 'off' || record.pending) return [];
  const own = feeds.map(feedKey).filter((key) => switchedOff.get(key)?.at === at);
  return own.map((key) => switchedOff.remove(key));
}

/** With the offs that a program's on is about to end: they are restored if it fails. */
export function withPreviousOffs({ switchedOff }: Store, record: CycleRecord): CycleRecord {
  if (record.action !== 'on' || isStanding(record) || record.previously) return record;
  const previously = record.feeds.flatMap((feed) => switchedOff.get(feedKey(feed)) ?? []);
  return previously.length === 0 ? record : { ...record, previously };
}
