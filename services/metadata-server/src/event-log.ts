import type { Logger } from '@skolo/common';
import type { MetadataEvent } from './events.ts';

/** Bots repeat themselves, and the log does not. */
const quietMs = 60_000;
const most = 1000;

/** Logs events of one kind and address at most once a minute. */
export function createEventLog(log: Logger): (event: MetadataEvent) => void {
  const lastLogged = new Map<string, number>();

  /** False if the same thing was logged recently. */
  function isDue(about: string): boolean {
    const last = lastLogged.get(about);
    const now = performance.now();
    if (last !== undefined && now - last < quietMs) return false;
    // The first key is the oldest: a repeated one moves to the end.
    lastLogged.delete(about);
    const [oldest] = lastLogged.keys();
    if (lastLogged.size >= most && oldest !== undefined) lastLogged.delete(oldest);
    lastLogged.set(about, now);
    return true;
  }

  return function logEvent(event) {
    switch (event.type) {
      case 'unknown-caller': {
        const { address, name, kind } = event.caller;
        if (isDue(address)) log.warn({ address, name, kind }, 'caller without identity');
        break;
      }
      case 'foreign-host': {
        const { address, name } = event.caller;
        if (isDue(`host ${address}`)) log.warn({ address, name, why: event.why }, 'foreign host');
        break;
      }
      case 'mac-mismatch': {
        const { caller, seen, error: err } = event;
        const { address, name: machine } = caller;
        if (!isDue(`${address} ${seen}`)) break;
        log.error({ machine, address, expected: caller.machine?.mac, seen, err }, 'MAC mismatch');
        break;
      }
      case 'request-failed':
        log.error({ err: event.error }, 'request failed');
        break;
      case 'reload-failed':
        log.error({ err: event.error }, 'reload failed');
        break;
      default:
    }
  };
}
