import type { TopicResource } from './wire.ts';

/** As the service has it. */
export interface PublishedMessage {
  data: Buffer;
  attributes: Record<string, string>;
  /** Empty: none. */
  orderingKey: string;
  messageId: string;
  publishTime: Date;
}

export interface Topic {
  resource: TopicResource;
  /** Oldest first; empty when nothing is kept. */
  messages: PublishedMessage[];
}
