/** The topics and subscriptions that there are. */
import { parseFilter } from './filter.ts';
import { checkName, checkPublish, idOf, limits } from './limits.ts';
import {
  alreadyExists,
  invalidAckDeadline,
  invalidArgument,
  leftOut,
  notFound,
  tooLarge,
} from './rejection.ts';
import { Subscription } from './subscription.ts';
import type { PublishedMessage, Topic } from './topic.ts';
import type { Page, PublishRequest, SubscriptionResource, TopicResource } from './wire.ts';

interface BrokerOptions {
  /** Whether topics remember what was published. */
  keep: boolean;
  published(topic: string, messages: readonly PublishedMessage[]): void;
}

export class Broker {
  readonly topics = new Map<string, Topic>();
  readonly subscriptions = new Map<string, Subscription>();
  private readonly options: BrokerOptions;
  /** Never the same twice, not even after a restart. */
  private newestId = Date.now() * 1000;

  constructor(options: BrokerOptions) {
    this.options = options;
  }

  createTopic(resource: TopicResource): TopicResource {
    checkName('topics', resource.name);
    if (this.topics.has(resource.name)) throw alreadyExists(idOf(resource.name));
    this.topics.set(resource.name, { resource, messages: [] });
    return resource;
  }

  topic(name: string): Topic {
    checkName('topics', name);
    const topic = this.topics.get(name);
    if (!topic) throw notFound(idOf(name));
    return topic;
  }

  private subscriptionsOf(topic: string): Subscription[] {
    return [...this.subscriptions.values()].filter(({ resource }) => resource.topic === topic);
  }

  publish(request: PublishRequest): string[] {
    checkName('topics', request.topic);
    checkPublish(request);
    const topic = this.topic(request.topic);
    const publishTime = new Date();
    const messages = request.messages.map(({ data, attributes, orderingKey }): PublishedMessage => {
      this.newestId += 1;
      return { data, attributes, orderingKey, messageId: String(this.newestId), publishTime };
    });
    if (this.options.keep) topic.messages.push(...messages);
    this.options.published(request.topic, messages);
    for (const subscription of this.subscriptionsOf(request.topic)) {
      for (const message of messages) subscription.offer(message);
      subscription.pump();
    }
    return messages.map(({ messageId }) => messageId);
  }

  createSubscription(asked: SubscriptionResource): SubscriptionResource {
    checkName('subscriptions', asked.name);
    checkSettings(asked);
    if (Buffer.byteLength(asked.filter) > limits.filter) {
      throw tooLarge('filter', Buffer.byteLength(asked.filter), limits.filter);
    }
    const filter = parseFilter(asked.filter);
    this.topic(asked.topic);
    if (this.subscriptions.has(asked.name)) throw alreadyExists(idOf(asked.name));
    const resource = { ...asked, ackDeadlineSeconds: asked.ackDeadlineSeconds || 10 };
    this.subscriptions.set(asked.name, new Subscription(resource, filter));
    return resource;
  }

  subscription(name: string): Subscription {
    checkName('subscriptions', name);
    const subscription = this.subscriptions.get(name);
    if (!subscription) throw notFound(idOf(name));
    return subscription;
  }

  deleteSubscription(name: string): void {
    const subscription = this.subscription(name);
    this.subscriptions.delete(name);
    subscription.disconnect(notFound(idOf(name)));
    subscription.close();
  }

  listSubscriptions(project: string): SubscriptionResource[] {
    return [...this.subscriptions.values()]
      .map(({ resource }) => resource)
      .filter(({ name }) => name.startsWith(`${project}/`));
  }
}

/** @throws Rejection They are wrong, or would do nothing here */
function checkSettings(asked: SubscriptionResource): void {
  const { ackDeadlineSeconds } = asked;
  if (ackDeadlineSeconds !== 0 && (ackDeadlineSeconds < 10 || ackDeadlineSeconds > 600)) {
    throw invalidAckDeadline(ackDeadlineSeconds, 10, 600);
  }
  if (asked.pushConfig?.pushEndpoint) throw leftOut('push subscriptions');
  if (asked.bigqueryConfig || asked.cloudStorageConfig) throw leftOut('export subscriptions');
  if (asked.enableExactlyOnceDelivery) throw leftOut('exactly-once delivery');
}

/** One page of a list, and the token of the next one; empty: that was all. */
export function pageOf<T>(all: T[], { pageSize, pageToken }: Page): { page: T[]; next: string } {
  const from = pageToken === '' ? 0 : Number(pageToken);
  if (!Number.isSafeInteger(from) || from < 0) throw invalidArgument('page_token');
  if (pageSize < 0) throw invalidArgument('page_size');
  const to = from + (pageSize || 100);
  return { page: all.slice(from, to), next: to < all.length ? String(to) : '' };
}
