/**
 * Sends events to a receiver, with retries, after which a message is dropped: a request with JSON ({@link WebhookBody}), or the template
 * of rack.yaml, for each run, each changed device and each device that failed, as configured in `services.router-backup.webhook`.
 * Nothing waits for it. A message that cannot be delivered is lost, logged and counted, because the API has the same information.
 */
import { randomUUID } from 'node:crypto';
import {
  type BackOff,
  type BackOffTimes,
  createBackOff,
  createHttpRequest,
  doubtTimes,
  mostDoubts,
  SinkError,
  type SinkReason,
} from '@skolo/alerts/request';
import { FailureClass, Time } from '@skolo/api';
import { count } from '@skolo/base';
import { readSecret } from '@skolo/base/secrets';
import type { Clock } from '@skolo/common';
import { z } from 'zod';
import type { PartDeps } from '../part-deps.ts';

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
  /** Of `change`: unified diff from the previous version, secrets masked, cut at 64 KiB. */
  diff: z.string().optional(),
  /** Of `failure`. */
  failure: FailureClass.optional(),
  /** For people, without secrets: one line. */
  summary: z.string().optional(),
});
export type WebhookBody = z.output<typeof WebhookBody>;
export type WebhookEvent = Omit<WebhookBody, 'rack' | 'at'>;

export interface WebhookDeps extends Pick<PartDeps, 'rack' | 'emit'> {
  log: Record<'warn', (fields: object, message: string) => void>;
  clock: Pick<Clock, 'now'>;
  /** Overrides the URL in rack.yaml. */
  timeoutSeconds?: number;
  /** Pauses between attempts, instead of the usual ones. */
  times?: BackOffTimes;
}

interface Waiting {
  /** Sent with each attempt, so that the receiver recognises duplicates. */
  id: string;
  body: WebhookBody;
}

const tries = 5;
const retryTimes = { firstMs: 1000, maxMs: 60_000 };
const mostWaiting = 100;

export class Webhook {
  private readonly deps: WebhookDeps;
  private readonly queue: Waiting[] = [];
  private readonly closing = new AbortController();
  private readonly backOff: BackOff;
  private working: Promise<void> | undefined;
  private isDropping = false;

  constructor(deps: WebhookDeps) {
    this.deps = deps;
    this.backOff = createBackOff({ stopping: this.closing.signal, times: deps.times });
  }

  /** Whether rack.yaml requests messages of this kind. */
  wants(kind: WebhookEvent['kind']): boolean {
    const { webhook } = this.deps.rack().services['router-backup'];
    return webhook?.on.includes(kind) ?? false;
  }

  /** Returns immediately. */
  send(event: WebhookEvent): void {
    if (!this.wants(event.kind) || this.closing.signal.aborted) return;
    const at = new Date(this.deps.clock.now()).toISOString();
    const rack = this.deps.rack().name;
    const body: WebhookBody = { rack, at, ...event, diff: event.diff && cut(event.diff) };
    this.queue.push({ id: randomUUID(), body });
    if (this.queue.length > mostWaiting) this.drop();
    this.working ??= this.work();
  }

  /** Drops messages that are not delivered yet. */
  async close(): Promise<void> {
    this.closing.abort(new Error('the service is stopping'));
    await this.working;
  }

  private drop(): void {
    this.queue.shift();
    this.count('dropped');
    // Once, until the receiver has caught up.
    if (this.isDropping) return;
    this.isDropping = true;
    this.deps.log.warn(
      {
        waiting: mostWaiting,
        hint: 'the receiver cannot keep up with the events; check whether it is down',
      },
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
    const { log } = this.deps;
    let doubts = 0;
    for (let failures = 1; ; failures += 1) {
      const failed = await this.attempt(message);
      if (failed === undefined) return this.count('sent');
      doubts += failed.mayHaveArrived ? 1 : 0;
      const isOver = failures >= tries || doubts >= mostDoubts || this.closing.signal.aborted;
      if (!passing.includes(failed.reason) || isOver) {
        const { kind } = message.body;
        const doubt = doubts > 0 ? `; it may have arrived ${count(doubts, 'time')}` : '';
        const why = failed.message + doubt;
        log.warn({ kind, tries: failures, why }, 'webhook message not delivered');
        return this.count('failed');
      }
      if (failed.mayHaveArrived) await this.backOff(doubts, failed, doubtTimes);
      else await this.backOff(failures, failed, retryTimes);
    }
  }

  /** Why it failed; undefined: it was accepted. */
  private async attempt({ id, body }: Waiting): Promise<SinkError | undefined> {
    const rack = this.deps.rack();
    const { webhook } = rack.services['router-backup'];
    if (webhook === undefined) {
      return new SinkError('topic', 'GONE', 'the webhook is no longer in rack.yaml');
    }
    const { on: _, token, ...rest } = webhook;
    const { timeoutSeconds = rest.timeoutSeconds } = this.deps;
    const request = createHttpRequest({
      ...rest,
      name: 'webhook',
      timeoutSeconds,
      token: token && (() => readSecret(rack, token)),
    });
    const usualBody = () => JSON.stringify(body);
    try {
      await request({ id, values: valuesOf(body), usualBody }, this.closing.signal);
      return undefined;
    } catch (error) {
      if (error instanceof SinkError) return error;
      throw error;
    }
  }
}

/** Temporary errors. */
const passing: readonly SinkReason[] = ['unavailable', 'timeout', 'quota'];

const alertnames = {
  run: 'BackupFinished',
  change: 'ConfigurationChanged',
  failure: 'BackupFailed',
} as const satisfies Record<WebhookBody['kind'], string>;

/** With the names that templates of alert sinks use, so that one template works for both. */
function valuesOf(body: WebhookBody): Record<string, unknown> {
  const { rack, kind, device, summary } = body;
  const severity = kind === 'failure' ? 'warning' : 'info';
  return {
    ...body,
    location: rack,
    status: 'firing',
    action: 'trigger',
    fingerprint: `backup-${rack}-${device ?? kind}`,
    labels: { alertname: alertnames[kind], severity, ...(device && { device }) },
    annotations: { summary },
  };
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
