/** The audit logs of several services as one. Also for the pages of the console, and so without zod. */
import type { AuditEntry, AuditPage } from './audit.ts';

/** The pages of one service so far, from the newest entry on. */
export interface AuditOf<Service extends string> extends Pick<AuditPage, 'entries' | 'older'> {
  service: Service;
}

/** The last entry of a change, or of a rejected request. */
export interface AuditedChange<Service extends string = string> extends AuditEntry {
  service: Service;
}

/**
 * One entry for each change: the last. `begun` alone remains: the change is under way, or the service died. The newest is first.
 *
 * @returns `completeTo`: a service may have more entries before this time, so they are not shown yet; absent: all are shown
 */
export function joinAudits<Service extends string>(
  logs: readonly AuditOf<Service>[],
): { changes: AuditedChange<Service>[]; completeTo?: string } {
  const completeTo = logs.flatMap(({ older }) => older?.time ?? []).reduce(later, '');
  const changes = logs
    .flatMap(({ service, entries }) => lastOnes(entries).map((entry) => ({ ...entry, service })))
    .filter(({ time }) => time >= completeTo)
    .sort((a, b) => (a.time === b.time ? 0 : a.time < b.time ? 1 : -1));
  return { changes, ...(completeTo !== '' && { completeTo }) };
}

function lastOnes(newestFirst: readonly AuditEntry[]): AuditEntry[] {
  const ended = new Set<string>();
  return newestFirst.filter(({ requestId, who, what, target, outcome }) => {
    // Parts of a service that are no route have no id.
    const change = requestId ?? JSON.stringify([who, what, target]);
    if (outcome === 'begun') return !ended.delete(change);
    ended.add(change);
    return true;
  });
}

function later(a: string, b: string): string {
  return a > b ? a : b;
}
