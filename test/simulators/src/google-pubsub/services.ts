/** The methods, each as a function from request to answer. */
import { type Broker, pageOf } from './broker.ts';
import type {
  AcknowledgeRequest,
  ModifyAckDeadlineRequest,
  Page,
  PublishRequest,
  SubscriptionResource,
  TopicResource,
} from './wire.ts';

/** One way to call; `resource` is what a request is about. */
export interface Unary<Request> {
  resource(request: Request): string;
  answer(request: Request): object;
}

/** Tells the request's type where it is not told elsewhere. */
function unary<Request>(method: Unary<Request>): Unary<Request> {
  return method;
}

export function publisherOf(broker: Broker) {
  return {
    CreateTopic: unary<TopicResource>({
      resource: ({ name }) => name,
      answer: (topic) => broker.createTopic(topic),
    }),
    GetTopic: unary<{ topic: string }>({
      resource: ({ topic }) => topic,
      answer: ({ topic }) => broker.topic(topic).resource,
    }),
    Publish: unary<PublishRequest>({
      resource: ({ topic }) => topic,
      answer: (request) => ({ messageIds: broker.publish(request) }),
    }),
  };
}

export function subscriberOf(broker: Broker) {
  return {
    CreateSubscription: unary<SubscriptionResource>({
      resource: ({ name }) => name,
      answer: (subscription) => broker.createSubscription(subscription),
    }),
    GetSubscription: unary<{ subscription: string }>({
      resource: ({ subscription }) => subscription,
      answer: ({ subscription }) => broker.subscription(subscription).resource,
    }),
    ListSubscriptions: unary<Page & { project: string }>({
      resource: ({ project }) => project,
      answer: (request) => {
        const { page, next } = pageOf(broker.listSubscriptions(request.project), request);
        return { subscriptions: page, nextPageToken: next };
      },
    }),
    DeleteSubscription: unary<{ subscription: string }>({
      resource: ({ subscription }) => subscription,
      answer: ({ subscription }) => {
        broker.deleteSubscription(subscription);
        return {};
      },
    }),
    Acknowledge: unary<AcknowledgeRequest>({
      resource: ({ subscription }) => subscription,
      answer: ({ subscription, ackIds }) => {
        broker.subscription(subscription).acknowledge(ackIds);
        return {};
      },
    }),
    ModifyAckDeadline: unary<ModifyAckDeadlineRequest>({
      resource: ({ subscription }) => subscription,
      answer: ({ subscription, ackIds, ackDeadlineSeconds }) => {
        broker.subscription(subscription).modifyAckDeadline(ackIds, ackDeadlineSeconds);
        return {};
      },
    }),
  };
}
