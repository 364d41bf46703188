/**
 * Decides how long an off-site operation may take (timeouts): a mount whose server is down, a connection that was silently cut. No other
 * attempt starts while one hangs.
 */
import { BackupError } from '@skolo/equipment/models/configuration';

export class Patience {
  private readonly what: string;
  private readonly ms: number;
  private readonly inTurn: boolean;
  /** Steps that timed out, but have not ended. */
  private stuck = 0;

  /**
   * @param what for people: what is being waited for
   * @param ms for one step
   * @param inTurn a step that timed out may block a thread for ever, so no other starts before it has ended; false if steps end by
   * themselves
   */
  constructor(what: string, ms: number, { inTurn = true } = {}) {
    this.what = what;
    this.ms = ms;
    this.inTurn = inTurn;
  }

  /**
   * Returns the step's result.
   *
   * @param late called with the result of a step that ends after it was given up
   * @throws BackupError `unreachable`: it timed out; if aborted, the signal's reason
   */
  async for<T>(
    step: () => Promise<T>,
    signal: AbortSignal,
    late?: (result: T) => unknown,
  ): Promise<T> {
    signal.throwIfAborted();
    if (this.inTurn && this.stuck > 0) throw this.unreachable('still no response');
    let isPending = true;
    const { promise: givenUp, reject: giveUp } = Promise.withResolvers<never>();
    const stepping = step();
    const ended = () => {
      if (!isPending) this.stuck -= 1;
      isPending = false;
    };
    stepping.then(ended, ended);
    const watch = this.watch(signal, giveUp);
    try {
      return await Promise.race([stepping, givenUp]);
    } finally {
      watch.end();
      if (isPending) {
        isPending = false;
        this.stuck += 1;
        stepping.then(late).catch(() => undefined);
      }
    }
  }

  /** Something that reports activity: aborted if there is none for too long, or if the signal is aborted. */
  watch(signal: AbortSignal, giveUp: (reason: Error) => void): Watch {
    let reason: Error | undefined;
    const stop = (why: Error) => {
      end();
      reason = why;
      giveUp(why);
    };
    const onAbort = () => stop(signal.reason);
    const timer = setTimeout(
      () => stop(this.unreachable(`no response within ${this.ms / 1000} s`)),
      this.ms,
    );
    function end() {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
    }
    signal.addEventListener('abort', onAbort);
    if (signal.aborted) onAbort();
    return { alive: () => void timer.refresh(), end, reason: () => reason };
  }

  private unreachable(why: string) {
    return new BackupError('unreachable', `${this.what}: ${why}`);
  }
}

interface Watch {
  alive(): void;
  end(): void;
  /** Why it was aborted. */
  reason(): Error | undefined;
}
