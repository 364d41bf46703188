/** https://cloud.google.com/pubsub/quotas#resource_limits and the rules for names. */
import {
  attributeTooLarge,
  badAttributeKey,
  emptyMessage,
  invalidName,
  mixedOrderingKeys,
  orderingKeyTooLarge,
  payloadTooLarge,
  tooLarge,
  tooManyAttributes,
  tooSmall,
} from './rejection.ts';
import type { PublishRequest, WireMessage } from './wire.ts';

/** All in bytes, but for `messages` and `attributes`. */
export const limits = {
  /** In one request. */
  messages: 1000,
  requestSize: 10_000_000,
  /** Larger ones never reach the service. */
  payload: 10_485_760,
  attributes: 100,
  attributeKey: 256,
  attributeValue: 1024,
  orderingKey: 1024,
  filter: 256,
} as const;

/** @throws Rejection */
export function checkPublish(request: PublishRequest): void {
  const { messages, requestBytes } = request;
  if (requestBytes > limits.payload) throw payloadTooLarge(limits.payload);
  if (messages.length === 0) throw tooSmall('message_count', 0, 1);
  if (messages.length > limits.messages) {
    throw tooLarge('message_count', messages.length, limits.messages);
  }
  if (requestBytes > limits.requestSize) {
    throw tooLarge('request_size', requestBytes, limits.requestSize);
  }
  for (const message of messages) checkMessage(message);
  const key = messages[0]?.orderingKey;
  if (messages.some(({ orderingKey }) => orderingKey !== key)) throw mixedOrderingKeys();
}

function checkMessage({ data, attributes, orderingKey }: WireMessage): void {
  let count = 0;
  for (const [key, value] of Object.entries(attributes)) {
    count += 1;
    const keyBytes = Buffer.byteLength(key);
    const valueBytes = Buffer.byteLength(value);
    if (key === '' || key.startsWith('goog')) throw badAttributeKey(key);
    if (keyBytes > limits.attributeKey) {
      throw attributeTooLarge(key, 'key', keyBytes, limits.attributeKey);
    }
    if (valueBytes > limits.attributeValue) {
      throw attributeTooLarge(key, 'value', valueBytes, limits.attributeValue);
    }
  }
  if (count > limits.attributes) throw tooManyAttributes(count, limits.attributes);
  if (data.length === 0 && count === 0) throw emptyMessage();
  const orderingKeyBytes = Buffer.byteLength(orderingKey);
  if (orderingKeyBytes > limits.orderingKey) {
    throw orderingKeyTooLarge(orderingKeyBytes, limits.orderingKey);
  }
}

/** @throws Rejection It is no `projects/PROJECT/topics/ID` with a good id */
export function checkName(kind: 'topics' | 'subscriptions', name: string): void {
  const id = new RegExp(`^projects/[^/]+/${kind}/(?<id>[^/]+)$`).exec(name)?.groups?.id ?? '';
  if (!/^[A-Za-z][\w.~+%-]{2,254}$/.test(id) || id.startsWith('goog')) throw invalidName(name);
}

export function idOf(name: string): string {
  return name.slice(name.lastIndexOf('/') + 1);
}
