/** Carries the history to a git remote: one push takes all that waits. */
import type { GitMirror } from '@skolo/backup';
import type { Carrier } from './carrier.ts';
import type { UploadRecord } from './records.ts';

export class GitCarrier implements Carrier {
  readonly tidyAfterSending = false;
  private readonly open: () => Promise<Pick<GitMirror, 'push'>>;

  /** @param open with the key as it is now */
  constructor(open: () => Promise<Pick<GitMirror, 'push'>>) {
    this.open = open;
  }

  async send(
    waiting: readonly UploadRecord[],
    signal: AbortSignal,
  ): Promise<readonly UploadRecord[]> {
    // Whatever waits was in the history before it began to wait.
    const sent = [...waiting];
    await (await this.open()).push(signal);
    return sent;
  }

  /** Takes along what is no version: who was retired. */
  async tidy(signal: AbortSignal): Promise<void> {
    await (await this.open()).push(signal);
  }
}
