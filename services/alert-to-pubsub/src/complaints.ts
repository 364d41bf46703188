/** What was complained of a short time ago, so that the same is not said again and again. */
import { createHash } from 'node:crypto';

const againAfterSeconds = 3600;
const mostRemembered = 1000;

export class Complaints {
  private readonly uptime: () => number;
  /** When it was said, in seconds of uptime, by the hash of what was said; the oldest first. */
  private readonly said = new Map<string, number>();
  private readonly draft = new Set<string>();

  constructor(uptime: () => number) {
    this.uptime = uptime;
  }

  /** From here on, what is new counts as said only with `keep`. */
  begin(): void {
    this.draft.clear();
  }

  isNew(complaint: string): boolean {
    const hash = createHash('sha256').update(complaint).digest('base64');
    const at = this.said.get(hash);
    if (at !== undefined && this.uptime() - at <= againAfterSeconds) return false;
    const isNew = !this.draft.has(hash);
    this.draft.add(hash);
    return isNew;
  }

  keep(): void {
    for (const hash of this.draft) {
      this.said.delete(hash);
      this.said.set(hash, this.uptime());
    }
    this.draft.clear();
    for (const hash of this.said.keys()) {
      if (this.said.size <= mostRemembered) return;
      this.said.delete(hash);
    }
  }
}
