/** The events of the service. Its parts emit them; `react` in service.ts lists what follows from each. */
import type { DegradedCode } from '@skolo/api/probes';
import type { Version } from '@skolo/backup';
import type { Emit, Logger } from '@skolo/common';
import type { Outcome } from './outcome.ts';
import { summaryOf } from './runs/summary.ts';
import type { RunRecord } from './state.ts';

export type BackupEvent =
  /** What `/readyz` shows as degraded; without a reason, it has ended. */
  | { type: 'degraded'; what: string; why?: string | undefined; code?: DegradedCode | undefined }
  /** One attempt has ended; another may follow. */
  | { type: 'attempt'; run: string; device: string; outcome: Outcome }
  /** A device of a run is done. */
  | { type: 'device-done'; run: RunRecord; device: string; outcome: Outcome }
  | { type: 'run-finished'; run: RunRecord }
  | { type: 'version-stored'; version: Version }
  | { type: 'device-retired'; device: string }
  /** The history accepts writes again, or a new one was created. */
  | { type: 'history-writable' }
  | { type: 'history-lost'; devices: string[] }
  | { type: 'loss-accepted'; devices: string[] }
  | { type: 'history-restored'; devices: number; versions: number; left: number }
  /** A equipment reported a configuration change, and has been quiet since. */
  | { type: 'device-changed'; device: string; notice: string }
  | { type: 'webhook-message'; outcome: 'sent' | 'failed' | 'dropped' };

export type EmitBackup = Emit<BackupEvent>;

/** Consumes what an operator may want to read in the log later. */
export function logEvents(log: Logger): EmitBackup {
  return (event) => {
    switch (event.type) {
      case 'attempt': {
        const { device, run, outcome } = event;
        const { after: _, before: __, ...facts } = outcome;
        if (outcome.failure === undefined) log.info({ device, run, ...facts }, 'backed up');
        else log.warn({ device, run, ...facts }, 'backup failed');
        break;
      }
      case 'run-finished': {
        const { id: run, origin, by, devices } = event.run;
        const { text: _, ...counts } = summaryOf(devices);
        log.info({ run, origin, by, ...counts }, 'run finished');
        break;
      }
      case 'device-retired':
        log.warn({ device: event.device }, 'retired');
        break;
      case 'history-lost':
        log.error({ devices: event.devices }, 'history lost');
        break;
      case 'loss-accepted':
        log.warn({ devices: event.devices }, 'loss of history accepted');
        break;
      case 'history-restored': {
        const { type: _, ...facts } = event;
        log.warn(facts, 'history restored from a copy');
        break;
      }
    }
  };
}
