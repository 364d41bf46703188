import type { Code } from './rejection.ts';

/** Those that the simulator has; others are answered with UNIMPLEMENTED. */
export const methods = [
  'CreateTopic',
  'GetTopic',
  'Publish',
  'CreateSubscription',
  'GetSubscription',
  'ListSubscriptions',
  'DeleteSubscription',
  'StreamingPull',
  'Acknowledge',
  'ModifyAckDeadline',
] as const;
export type Method = (typeof methods)[number];

/** One call that reached the simulator, good or bad. */
export interface PubSubCall {
  method: Method;
  /** Of the topic, the subscription or the project. */
  resource: string;
  /** Of the authorization header. */
  token?: string;
  /** Of a publish. */
  messages?: number;
  orderingKey?: string;
  /** What it was answered; absent as long as there is no answer. */
  code?: Code | 'OK';
  /** The client gave up, or its connection ended. */
  cancelled: boolean;
}
