/**
 * Sends events to a receiver: a POST with JSON ({@link WebhookBody}) for each run, each changed device and each device that
 * failed, as `services.router-backup.webhook` says. Nothing waits for it. A message that cannot be delivered is lost, logged and
 * counted, since the API has all of it as well.
 */
import { randomUUID } from 'node:crypto';
import { FailureClass, Time } from '@skolo/api';
import { backOffMs, type Clock, pause } from '@skolo/common';
import { errorText, withDeadline } from '@skolo/errors';
import type { Rack } from '@skolo/rack';
import { isSafeForSecrets, readSecret } from '@skolo/secrets';
import { z } from 'zod';
import type { EmitBackup } from './events.ts';

const longestDiff = 64 * 1024;

export const WebhookBody = z.object({
  rack: z.string(),
  kind: z.enum(['run', 'change', 'failure']),
  at: Time,
  /** Id of the run. */
  run: z.string().optional(),
  /** Of `change` and `failure`. */
  device: z.string().optional(),
  /** Of `change`: id of the new version. */
  version: z.string().optional(),
  /** Of `change`: unified diff from the version before, secrets masked, cut at 64 KiB. */
  diff: z.string().optional(),
  /** Of `failure`. */
  failure: FailureClass.optional(),
  /** For people, without secrets: one line. */
  summary: z.string().optional(),
});
export type WebhookBody = z.output<typeof WebhookBody>;
export type WebhookEvent = Omit<WebhookBody, 'rack' | 'at'>;

export interface WebhookDeps {
  rack: () => Rack;
  log: Record<'warn', (fields: object, message: string) => void>;
  emit: EmitBackup;
  clock: Pick<Clock, 'now'>;
  fetch?: typeof fetch;
  timeoutMs?: number;
  /** Before the second try; it doubles. */
  firstPauseMs?: number;
}

interface Waiting {
  /** Sent with each attempt, so that the receiver recognises a repetition. */
  id: string;
  kind: WebhookBody['kind'];
  body: string;
}

const tries = 5;
const mostWaiting = 100;

export class Webhook {
  private readonly deps: WebhookDeps;
  private readonly queue: Waiting[] = [];
  private readonly closing = new AbortController();
  private working: Promise<void> | undefined;
  private isDropping = false;

  constructor(deps: WebhookDeps) {
    this.deps = deps;
  }

  /** Whether rack.yaml requests messages of this kind. */
  wants(kind: WebhookEvent['kind']): boolean {
    const { webhook } = this.deps.rack().services['router-backup'];
    return webhook?.on.includes(kind) ?? false;
  }

  /** Returns at once. */
  send(event: WebhookEvent): void {
    if (!this.wants(event.kind) || this.closing.signal.aborted) return;
    const at = new Date(this.deps.clock.now()).toISOString();
    const rack = this.deps.rack().name;
    const body: WebhookBody = { rack, at, ...event, diff: event.diff && cut(event.diff) };
    this.queue.push({ id: randomUUID(), kind: event.kind, body: JSON.stringify(body) });
    if (this.queue.length > mostWaiting) this.drop();
    this.working ??= this.work();
  }

  /** Drops the messages that are not delivered yet. */
  async close(): Promise<void> {
    this.closing.abort(new Error('the service stops'));
    await this.working;
  }

  private drop(): void {
    this.queue.shift();
    this.count('dropped');
    // Once, until the receiver has caught up.
    if (this.isDropping) return;
    this.isDropping = true;
    this.deps.log.warn(
      { waiting: mostWaiting, hint: 'the receiver is slower than what happens; is it down?' },
      'webhook messages dropped',
    );
  }

  private count(outcome: 'sent' | 'failed' | 'dropped'): void {
    this.deps.emit({ type: 'webhook-message', outcome });
  }

  private async work(): Promise<void> {
    // `send` returns first.
    await undefined;
    for (let next = this.queue.shift(); next !== undefined; next = this.queue.shift()) {
      if (this.closing.signal.aborted) this.count('dropped');
      else await this.deliver(next);
    }
    this.isDropping = false;
    this.working = undefined;
  }

  private async deliver(message: Waiting): Promise<void> {
    const { log, firstPauseMs: firstMs = 1000 } = this.deps;
    for (let failures = 1; ; failures += 1) {
      const failed = await this.attempt(message);
      if (failed === undefined) return this.count('sent');
      if (!failed.retry || failures >= tries || this.closing.signal.aborted) {
        const { kind } = message;
        log.warn({ kind, tries: failures, why: failed.why }, 'webhook message not delivered');
        return this.count('failed');
      }
      await pause(backOffMs(failures, { firstMs, maxMs: 60_000 }), this.closing.signal).catch(
        () => undefined,
      );
    }
  }

  /** Why it failed; undefined: it was accepted. */
  private async attempt(message: Waiting): Promise<{ why: string; retry: boolean } | undefined> {
    const rack = this.deps.rack();
    const { webhook } = rack.services['router-backup'];
    if (webhook === undefined) return { why: 'the webhook has left rack.yaml', retry: false };
    const url = new URL(webhook.url);
    try {
      if (webhook.token !== undefined && !isSafeForSecrets(url)) {
        const why = `${url.host} is neither https nor this computer, so its token would be sent in the clear; set an https URL`;
        return { why, retry: false };
      }
      const token = webhook.token && (await readSecret(rack, webhook.token));
      const status = await this.post(url, message, token?.reveal());
      if (status >= 200 && status < 300) return undefined;
      return { why: `${url.host} answers ${status}${hintFor(status)}`, retry: mayPass(status) };
    } catch (error) {
      return { why: `${url.host}: ${whyOf(error)}`, retry: true };
    }
  }

  private async post(url: URL, { id, body }: Waiting, token: string | undefined): Promise<number> {
    const { fetch: ask = fetch, timeoutMs = 10_000 } = this.deps;
    const late = () => new Error(`no answer in ${timeoutMs} ms`);
    const deadline = { ms: timeoutMs, late, signal: this.closing.signal };
    return await withDeadline(deadline, async (signal) => {
      const response = await ask(url, {
        method: 'POST',
        body,
        headers: {
          'content-type': 'application/json',
          'idempotency-key': id,
          ...(token !== undefined && { authorization: `Bearer ${token}` }),
        },
        // The token must not follow a redirect.
        redirect: 'manual',
        signal,
      });
      await response.body?.cancel();
      return response.status;
    });
  }
}

function mayPass(status: number): boolean {
  return status >= 500 || [408, 425, 429].includes(status);
}

function hintFor(status: number): string {
  if (status === 401 || status === 403) return '; correct `token` of the webhook in rack.yaml';
  if (status === 404) return '; correct `url` of the webhook in rack.yaml';
  return status >= 300 && status < 400
    ? '; set `url` of the webhook in rack.yaml to the URL that it redirects to'
    : '';
}

/** The reason of an error of fetch is in its cause. */
function whyOf(error: unknown): string {
  const { cause } = error instanceof Error ? error : {};
  return errorText(cause instanceof Error ? cause : error);
}

/** Cuts at the end of a line. */
function cut(diff: string): string {
  const bytes = Buffer.from(diff);
  if (bytes.length <= longestDiff) return diff;
  const first = bytes.subarray(0, longestDiff - 100);
  const end = first.lastIndexOf('\n') + 1;
  const kept = first.subarray(0, end === 0 ? first.length : end).toString('utf8');
  return `${kept}… cut: ${bytes.length - Buffer.byteLength(kept)} bytes more\n`;
}
