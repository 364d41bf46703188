/** Waiting for what may never answer: a mount whose server is gone, a connection that was silently cut. */
import { BackupError } from '../errors.ts';

export class Patience {
  private readonly what: string;
  private readonly ms: number;
  /** Steps that were given up, and have not ended. */
  private stuck = 0;

  /**
   * @param what for people: whom we wait for
   * @param ms for one step
   */
  constructor(what: string, ms: number) {
    this.what = what;
    this.ms = ms;
  }

  /**
   * What the step gives. One that was given up may hold a thread for ever, so there is no other before it has ended.
   *
   * @throws BackupError `unreachable`: it takes too long; of an aborted signal its reason
   */
  async for<T>(step: () => Promise<T>, signal: AbortSignal): Promise<T> {
    signal.throwIfAborted();
    if (this.stuck > 0) throw this.unreachable('still does not answer');
    let isPending = true;
    let giveUp: (reason: unknown) => void = () => undefined;
    const givenUp = new Promise<never>((_resolve, reject) => {
      giveUp = reject;
    });
    const stepping = step();
    const ended = () => {
      if (!isPending) this.stuck -= 1;
      isPending = false;
    };
    stepping.then(ended, ended);
    const onAbort = () => giveUp(signal.reason);
    signal.addEventListener('abort', onAbort);
    const timer = setTimeout(
      () => giveUp(this.unreachable(`does not answer for ${this.ms / 1000} s`)),
      this.ms,
    );
    try {
      return await Promise.race([stepping, givenUp]);
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
      if (isPending) {
        isPending = false;
        this.stuck += 1;
      }
    }
  }

  private unreachable(why: string) {
    return new BackupError('unreachable', `${this.what}: ${why}`);
  }
}
