/** The subscription that is read: one that is there, or a temporary one that is made for it and deleted afterwards. */
import { randomBytes } from 'node:crypto';
import type { v1 } from '@google-cloud/pubsub';
import { ackDeadlineSeconds } from './pull-stream.ts';
import { grpcCodeOf, grpcCodes } from './subscription-errors.ts';

export interface SubscriptionChoice {
  project: string;
  topic: string;
  /** One that exists; by default a temporary one. */
  subscription?: string | undefined;
  location?: string | undefined;
  onlyHeartbeats?: boolean | undefined;
  signal: AbortSignal;
  /** How long Pub/Sub may take for an answer. */
  withinMs: number;
}

type Client = Pick<
  v1.SubscriberClient,
  'acknowledge' | 'createSubscription' | 'deleteSubscription' | 'getSubscription'
>;

/** The least that Pub/Sub allows. */
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
  /** `perhaps`: the answer is lost, or was not waited for. */
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

  /** Sees to it that it is there. It proves, too, that Pub/Sub answers. */
  async check(): Promise<'found' | 'made'> {
    if (this.isTemporary && this.isMade !== 'yes') return this.make();
    try {
      const { subscription } = this;
      await this.call((options) => this.client().getSubscription({ subscription }, options));
      return 'found';
    } catch (error) {
      const code = grpcCodeOf(error);
      // Who may read it need not be allowed to look at it.
      if (code === grpcCodes.permissionDenied) return 'found';
      if (code === grpcCodes.notFound && this.isTemporary) return this.make();
      throw error;
    }
  }

  /** What fails here is given once more, and acknowledged then. */
  async acknowledge(ackIds: string[]): Promise<void> {
    if (ackIds.length === 0) return;
    const { subscription } = this;
    const options = callOptions(this.choice.withinMs);
    await this.client()
      .acknowledge({ subscription, ackIds }, options)
      .catch(() => undefined);
  }

  /** Deletes what was made here; gives the error when that fails. */
  async end(): Promise<unknown> {
    if (this.isMade === 'no') return undefined;
    const { subscription } = this;
    try {
      await this.client().deleteSubscription({ subscription }, callOptions(deleteWithinMs));
    } catch (error) {
      const isThere = this.isMade === 'yes' && grpcCodeOf(error) !== grpcCodes.notFound;
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
      const code = grpcCodeOf(error);
      const isOpen = this.choice.signal.aborted || lost.includes(code ?? 0);
      if (isOpen) this.isMade = 'perhaps';
      // The attempt before, whose answer was lost, has made it.
      if (code !== grpcCodes.alreadyExists) throw error;
    }
    this.isMade = 'yes';
    return 'made';
  }

  /** Nobody waits for an answer once all has to end. */
  private call(request: (options: ReturnType<typeof callOptions>) => Promise<unknown>) {
    const { signal, withinMs } = this.choice;
    return new Promise<unknown>((resolve, reject) => {
      const abort = () => reject(signal.reason);
      if (signal.aborted) return abort();
      signal.addEventListener('abort', abort);
      request(callOptions(withinMs))
        .then(resolve, reject)
        .finally(() => signal.removeEventListener('abort', abort));
    });
  }
}

/** Whatever was asked for may have been done. */
const lost: readonly number[] = [grpcCodes.deadlineExceeded, grpcCodes.unavailable];

/** Tried once: it is tried again here, and told. */
function callOptions(timeout: number) {
  return { timeout, retry: null };
}

function filterOf({ location, onlyHeartbeats }: SubscriptionChoice): string | undefined {
  const conditions = [
    ...(location === undefined ? [] : [`attributes.location = ${JSON.stringify(location)}`]),
    ...(onlyHeartbeats ? ['attributes.kind = "heartbeat"'] : []),
  ];
  const filter = conditions.join(' AND ');
  // All that comes is looked at here, too.
  return filter === '' || Buffer.byteLength(filter) > longestFilter ? undefined : filter;
}

function resource(project: string, kind: 'topics' | 'subscriptions', name: string): string {
  return name.startsWith('projects/') ? name : `projects/${project}/${kind}/${name}`;
}
