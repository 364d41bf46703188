/**
 * Who asked, and when last: the first thing an engineer wants to know of a bot that says it has no
 * token. Kept across restarts, written seldom.
 */
import { readFileIfExists, writeFileAtomic } from '@skolo/durable';
import { z } from 'zod';
import type { Caller } from './caller.ts';

const Client = z.object({
  name: z.string(),
  kind: z.enum(['machine', 'cidr', 'jumphost', 'default', 'unknown']),
  address: z.string(),
  identity: z.string().optional(),
  /** Wall clock, milliseconds. */
  lastAsked: z.number(),
  lastTokenAsked: z.number().optional(),
  requests: z.number(),
});
export type Client = z.infer<typeof Client>;

const Contents = z.object({ clients: z.array(Client) });

/** Phones come and go with ever new addresses: beyond this the one that was silent longest is forgotten. */
const most = 5000;

export class Clients {
  private readonly clients = new Map<string, Client>();
  private readonly file: string;
  private changed = false;

  constructor(file: string) {
    this.file = file;
  }

  /** Throws where there is a file that cannot be used; it is then written anew. */
  async load(): Promise<void> {
    const content = await readFileIfExists(this.file);
    if (content === undefined) return;
    for (const client of Contents.parse(JSON.parse(content)).clients) {
      if (!this.clients.has(client.address)) this.clients.set(client.address, client);
    }
  }

  /** The record of a caller, to be counted up by `asked`. */
  of(caller: Caller): Client {
    const { name, kind, address } = caller;
    let client = this.clients.get(address);
    if (!client) {
      this.makeRoom();
      client = { name, kind, address, lastAsked: 0, requests: 0 };
      this.clients.set(address, client);
    }
    Object.assign(client, { name, kind, identity: caller.identity?.name });
    return client;
  }

  asked(client: Client, now: number, forToken: boolean): void {
    client.requests += 1;
    client.lastAsked = now;
    if (forToken) client.lastTokenAsked = now;
    this.changed = true;
  }

  /** Newest first. */
  list(): Client[] {
    return [...this.clients.values()]
      .filter(({ requests }) => requests > 0)
      .sort((a, b) => b.lastAsked - a.lastAsked);
  }

  /** Writes what changed since the last time, if anything did. */
  async save(): Promise<void> {
    if (!this.changed) return;
    this.changed = false;
    try {
      await writeFileAtomic(this.file, JSON.stringify({ clients: this.list() }), { mode: 0o600 });
    } catch (error) {
      this.changed = true;
      throw error;
    }
  }

  private makeRoom(): void {
    if (this.clients.size < most) return;
    let oldest: Client | undefined;
    for (const client of this.clients.values()) {
      if (!oldest || client.lastAsked < oldest.lastAsked) oldest = client;
    }
    if (oldest) this.clients.delete(oldest.address);
  }
}
