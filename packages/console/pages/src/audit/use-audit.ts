/** The audit logs of all services, page by page. One that does not respond does not hide the others. */
import { type AuditLogOf, mergeAuditLogs } from '@skolo/api/merge-audit-logs';
import { useEffect, useState } from 'preact/hooks';
import {
  alertToPubsub,
  machineState,
  metadataServer,
  powerCycleDaemon,
  routerBackup,
} from '../live/api.ts';
import { asError } from '../parts/load.tsx';

const pageSize = 100;

const clients = {
  'machine-state': machineState,
  'power-cycle-daemon': powerCycleDaemon,
  'router-backup': routerBackup,
  'alert-to-pubsub': alertToPubsub,
  'metadata-server': metadataServer,
};
type Service = keyof typeof clients;
export const auditedServices = Object.keys(clients) as Service[];

export interface AuditFilter {
  service?: string;
  who?: string;
  text?: string;
}

interface Log extends AuditLogOf<Service> {
  skipped: number;
  isAsked: boolean;
  error?: Error;
}

export function useAudit({ service, who, text }: AuditFilter) {
  const [logs, setLogs] = useState<readonly Log[]>([]);
  const [times, setTimes] = useState(0);
  const [stopped, setStopped] = useState(() => new AbortController());

  async function ask(log: Log, { signal }: AbortController): Promise<void> {
    const query = { limit: pageSize, before: log.older?.before, who, text };
    const answer = await clients[log.service].audit({ query, signal }).catch(asError);
    if (signal.aborted) return;
    const { error: _, ...before } = log;
    replace(
      answer instanceof Error
        ? { ...before, isAsked: false, error: answer }
        : {
            service: log.service,
            isAsked: false,
            skipped: log.skipped + answer.skipped,
            entries: [...log.entries, ...answer.entries],
            ...(answer.older && { older: answer.older }),
          },
    );
  }

  function replace(log: Log) {
    setLogs((old) => old.map((each) => (each.service === log.service ? log : each)));
  }

  useEffect(() => {
    const controller = new AbortController();
    setStopped(controller);
    const asked = auditedServices
      .filter((each) => !service || each === service)
      .map((each) => ({ service: each, entries: [], skipped: 0, isAsked: true }));
    setLogs(asked);
    // Not a request for each typed letter.
    const timer = setTimeout(() => {
      for (const log of asked) void ask(log, controller);
    }, 150);
    return () => {
      clearTimeout(timer);
      controller.abort();
    };
  }, [service, who, text, times]);

  const { changes, completeTo } = mergeAuditLogs(logs);
  return {
    changes,
    completeTo,
    isLoading: logs.some(({ isAsked }) => isAsked),
    failed: logs.flatMap(({ service: name, error }) => (error ? [{ name, error }] : [])),
    skipped: logs.reduce((sum, each) => sum + each.skipped, 0),
    reload: () => setTimes((old) => old + 1),
    /** Asks the services whose missing entries hold back the others. */
    loadOlder() {
      for (const log of logs) {
        if (log.isAsked || log.older === undefined || log.older.time !== completeTo) continue;
        const asked = { ...log, isAsked: true };
        replace(asked);
        void ask(asked, stopped);
      }
    },
  };
}
