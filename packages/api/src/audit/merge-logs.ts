/** Merges the audit logs of several services. The console's pages also use this, so it does not load zod. */
import type { AuditEntry, AuditPage } from './log-api.ts';

/** The pages of one service so far, newest entry first. */
export interface AuditLogOf<Service extends string> extends Pick<AuditPage, 'entries' | 'older'> {
  service: Service;
}

/** The last entry of a change, or of a rejected request. */
export interface AuditedChange<Service extends string = string> extends AuditEntry {
  service: Service;
}

/**
 * One entry per change: the last one. A lone `begun` means that the change is in progress, or the service died. Newest first.
 *
 * @returns `completeTo`: a service may have more entries before this time, so they are not shown yet; absent: all are shown
 */
export function mergeAuditLogs<Service extends string>(
  logs: readonly AuditLogOf<Service>[],
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
    // Entries that do not come from a route have no id.
    const change = requestId ?? JSON.stringify([who, what, target]);
    if (outcome === 'begun') return !ended.delete(change);
    ended.add(change);
    return true;
  });
}

function later(a: string, b: string): string {
  return a > b ? a : b;
}
