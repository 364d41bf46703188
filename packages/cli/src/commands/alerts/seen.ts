import type { Received } from '@skolo/alerts';

const remembered = 10_000;

/** Which messages have been there before. Pub/Sub gives some twice, and racks send some twice. */
export class Seen {
  private readonly keys = new Set<string>();

  before({ decoded, messageId }: Received): boolean {
    const key = 'id' in decoded && decoded.id ? `${decoded.location} ${decoded.id}` : messageId;
    if (this.keys.has(key)) return true;
    this.keys.add(key);
    const [oldest] = this.keys;
    if (this.keys.size > remembered && oldest !== undefined) this.keys.delete(oldest);
    return false;
  }
}
