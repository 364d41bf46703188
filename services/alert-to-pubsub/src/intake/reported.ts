/** Remembers what was reported within the last hour, so that a repeated problem is reported once. */
import { sha256 } from '@skolo/base';

const againAfterSeconds = 3600;
const mostRemembered = 1000;

export class Reported {
  private readonly uptime: () => number;
  /** Times in seconds of uptime, by the hash of the text; oldest first. */
  private readonly reported = new Map<string, number>();
  private readonly draft = new Set<string>();

  constructor(uptime: () => number) {
    this.uptime = uptime;
  }

  /** From here on, new texts count only after `commitDraft`. */
  dropDraft(): void {
    this.draft.clear();
  }

  isNew(text: string): boolean {
    const hash = sha256(text);
    const at = this.reported.get(hash);
    if (at !== undefined && this.uptime() - at <= againAfterSeconds) return false;
    const isNew = !this.draft.has(hash);
    this.draft.add(hash);
    return isNew;
  }

  commitDraft(): void {
    for (const hash of this.draft) {
      this.reported.delete(hash);
      this.reported.set(hash, this.uptime());
    }
    this.draft.clear();
    for (const hash of this.reported.keys()) {
      if (this.reported.size <= mostRemembered) return;
      this.reported.delete(hash);
    }
  }
}
