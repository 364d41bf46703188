/**
 * A client of the rack's metadata server, following Google's documentation
 * (https://cloud.google.com/compute/docs/metadata/querying-metadata): header `Metadata-Flavor: Google`, and `wait_for_change` with
 * `last_etag` for values that may change.
 */

import { oneLine, parseJson } from '@skolo/base';
import { type Answer, request, Unreachable } from '@skolo/base/request';
import type { Clock, Emit } from '@skolo/common/light';
import { z } from 'zod';
import type { AgentEvent } from '../events.ts';

interface MetadataClientDeps {
  /** Its possible URLs, best first: `http://metadata`. */
  urls: () => readonly string[];
  localAddress: string | undefined;
  now: () => number;
  emit: Emit<AgentEvent>;
}

export interface Attribute {
  text: string;
  etag: string;
}

/** The server answered, but not with the requested value. */
export class MetadataRejected extends Error {
  /** Undefined: another server's. */
  readonly status: number | undefined;

  constructor(message: string, status: number | undefined) {
    super(message);
    this.status = status;
  }
}

const instance = '/computeMetadata/v1/instance';
/** How long the server may wait for a change. */
const waitSeconds = 60;
const askMs = 20_000;

const Token = z.object({ access_token: z.string().min(1) });

export class MetadataClient {
  private readonly deps: MetadataClientDeps;

  constructor(deps: MetadataClientDeps) {
    this.deps = deps;
  }

  /**
   * An attribute of this machine; with an etag, once it has changed, or after a minute.
   *
   * @throws Unreachable No answer. @throws MetadataRejected
   */
  async attribute(
    name: string,
    { etag, signal }: { etag?: string | undefined; signal: AbortSignal },
  ): Promise<Attribute> {
    const wait = `?wait_for_change=true&timeout_sec=${waitSeconds}&last_etag=`;
    const path = `${instance}/attributes/${name}${etag === undefined ? '' : wait + encodeURIComponent(etag)}`;
    const timeoutMs = askMs + (etag === undefined ? 0 : waitSeconds * 1000);
    const { text, headers } = await this.get(path, timeoutMs, signal);
    return { text, etag: String(headers.etag ?? '') };
  }

  /** An access token of this machine's account. @throws Unreachable @throws MetadataRejected */
  async token(signal: AbortSignal): Promise<string> {
    const { text } = await this.get(`${instance}/service-accounts/default/token`, askMs, signal);
    const token = Token.safeParse(parseJson(text));
    if (!token.success)
      throw new MetadataRejected('the response does not contain an access token', 200);
    return token.data.access_token;
  }

  private async get(path: string, timeoutMs: number, signal: AbortSignal): Promise<Answer> {
    let failure: unknown;
    for (const url of new Set(this.deps.urls())) {
      const base = url.replace(/\/+$/, '');
      try {
        const answer = await request(base + path, {
          headers: { 'metadata-flavor': 'Google' },
          localAddress: this.deps.localAddress,
          timeoutMs,
          signal,
        });
        this.compareClocks(answer);
        if (answer.status === 200 && answer.headers['metadata-flavor'] === 'Google') return answer;
        throw rejection(base, answer);
      } catch (error) {
        if (!(error instanceof Unreachable)) throw error;
        failure ??= error;
      }
    }
    throw failure ?? new Unreachable("the metadata server's URL is unknown");
  }

  /** A Date header has whole seconds: assume the middle of one. */
  private compareClocks({ headers }: Answer) {
    const date = Date.parse(headers.date ?? '');
    // Another server's clock does not matter.
    if (Number.isNaN(date) || headers['metadata-flavor'] !== 'Google') return;
    const offsetSeconds = (this.deps.now() - date - 500) / 1000;
    this.deps.emit({ type: 'clock-compared', offsetSeconds });
  }
}

function rejection(base: string, { status, text, headers }: Answer): MetadataRejected {
  if (headers['metadata-flavor'] !== 'Google') {
    return new MetadataRejected(
      `${base} is not a metadata server: the response (status ${status}) lacks \`Metadata-Flavor: Google\``,
      undefined,
    );
  }
  const bare = text.replace(/<(title|style)>.*?<\/\1>/gs, ' ').replace(/<[^>]*>/g, ' ');
  return new MetadataRejected(`${base} returned status ${status}: ${oneLine(bare, 300)}`, status);
}

/** The offset of this machine's clock: measured occasionally, and correct in between even if the clock is set. */
export class ClockOffset {
  private readonly clock: Pick<Clock, 'now' | 'uptime'>;
  private measured: { seconds: number; at: number; uptime: number } | undefined;

  constructor(clock: Pick<Clock, 'now' | 'uptime'>) {
    this.clock = clock;
  }

  /** Its clock minus the jumphost's, now. */
  set(seconds: number): void {
    this.measured = { seconds, at: this.clock.now(), uptime: this.clock.uptime() };
  }

  /** Undefined: not measured yet. */
  get(): number | undefined {
    if (this.measured === undefined) return undefined;
    const { seconds, at, uptime } = this.measured;
    return seconds + (this.clock.now() - at) / 1000 - (this.clock.uptime() - uptime);
  }
}
