/** Decides which subscription is read: an existing one, or a temporary one that is deleted afterwards. */
import { randomBytes } from 'node:crypto';
import type { v1 } from '@google-cloud/pubsub';
import { orAborted } from '@skolo/base';
import type { GrpcCode } from '../pubsub/grpc.ts';
import { ackDeadlineSeconds } from './pull-stream.ts';
import { codeOf } from './subscription-errors.ts';

export interface SubscriptionChoice {
  project: string;
  topic: string;
  /** An existing one; by default a temporary one. */
  subscription?: string | undefined;
  location?: string | undefined;
  onlyHeartbeats?: boolean | undefined;
  signal: AbortSignal;
  /** Timeout of a response from Pub/Sub. */
  withinMs: number;
}

type Client = Pick<
  v1.SubscriberClient,
  'acknowledge' | 'createSubscription' | 'deleteSubscription' | 'getSubscription'
>;

/** The minimum that Pub/Sub allows. */
const expirySeconds = 86_400;
const retentionSeconds = 600;
const longestFilter = 256;
const deleteWithinMs = 5000;

export class SubscriptionUse {
  readonly topic: string;
  readonly subscription: string;
  readonly isTemporary: boolean;
  private readonly client: () => Client;
  private readonly choice: SubscriptionChoice;
  /** `perhaps`: the response was lost, or not awaited. */
  private isMade: 'no' | 'perhaps' | 'yes' = 'no';

  constructor(client: () => Client, choice: SubscriptionChoice) {
    const { project, topic, subscription } = choice;
    this.client = client;
    this.choice = choice;
    this.topic = resource(project, 'topics', topic);
    this.isTemporary = subscription === undefined;
    const name = subscription ?? `skolo-${randomBytes(8).toString('hex')}`;
    this.subscription = resource(project, 'subscriptions', name);
  }

  /** Makes sure that it exists, which also proves that Pub/Sub responds. */
  async check(): Promise<'found' | 'made'> {
    if (this.isTemporary && this.isMade !== 'yes') return this.make();
    try {
      const { subscription } = this;
      await this.call((options) => this.client().getSubscription({ subscription }, options));
      return 'found';
    } catch (error) {
      const code = codeOf(error);
      // Permission to read it need not include permission to view it.
      if (code === 'PERMISSION_DENIED') return 'found';
      if (code === 'NOT_FOUND' && this.isTemporary) return this.make();
      throw error;
    }
  }

  /** After a failure, the messages arrive again and are acknowledged then. */
  async acknowledge(ackIds: string[]): Promise<void> {
    if (ackIds.length === 0) return;
    const { subscription } = this;
    const options = callOptions(this.choice.withinMs);
    await this.client()
      .acknowledge({ subscription, ackIds }, options)
      .catch(() => undefined);
  }

  /** Deletes what was created here; returns the error if that fails. */
  async end(): Promise<unknown> {
    if (this.isMade === 'no') return undefined;
    const { subscription } = this;
    try {
      await this.client().deleteSubscription({ subscription }, callOptions(deleteWithinMs));
    } catch (error) {
      const isThere = this.isMade === 'yes' && codeOf(error) !== 'NOT_FOUND';
      return isThere ? error : undefined;
    }
    return undefined;
  }

  private async make(): Promise<'made'> {
    const filter = filterOf(this.choice);
    const request = {
      name: this.subscription,
      topic: this.topic,
      ackDeadlineSeconds,
      enableMessageOrdering: true,
      messageRetentionDuration: { seconds: retentionSeconds },
      expirationPolicy: { ttl: { seconds: expirySeconds } },
      labels: { made: 'by-skolo' },
      ...(filter !== undefined && { filter }),
    };
    try {
      await this.call((options) => this.client().createSubscription(request, options));
    } catch (error) {
      const code = codeOf(error);
      const isOpen = this.choice.signal.aborted || lost.includes(code);
      if (isOpen) this.isMade = 'perhaps';
      // An earlier attempt, whose response was lost, has created it.
      if (code !== 'ALREADY_EXISTS') throw error;
    }
    this.isMade = 'yes';
    return 'made';
  }

  /** Aborts immediately with the signal. */
  private call(request: (options: ReturnType<typeof callOptions>) => Promise<unknown>) {
    const { signal, withinMs } = this.choice;
    return orAborted(request(callOptions(withinMs)), signal);
  }
}

/** The request may have been carried out. */
const lost: readonly (GrpcCode | undefined)[] = ['DEADLINE_EXCEEDED', 'UNAVAILABLE'];

/** The library must not retry: retries are made and reported here. */
function callOptions(timeout: number) {
  return { timeout, retry: null };
}

function filterOf({ location, onlyHeartbeats }: SubscriptionChoice): string | undefined {
  const conditions = [
    ...(location === undefined ? [] : [`attributes.location = ${JSON.stringify(location)}`]),
    ...(onlyHeartbeats ? ['attributes.kind = "heartbeat"'] : []),
  ];
  const filter = conditions.join(' AND ');
  // All received values are also checked here.
  return filter === '' || Buffer.byteLength(filter) > longestFilter ? undefined : filter;
}

function resource(project: string, kind: 'topics' | 'subscriptions', name: string): string {
  return name.startsWith('projects/') ? name : `projects/${project}/${kind}/${name}`;
}
