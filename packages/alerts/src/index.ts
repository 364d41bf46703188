/** Alerts on their way: messages, sinks, subscriptions, and whether a rack is silent. */
export {
  type DecodedAlert,
  type DecodedHeartbeat,
  decode,
} from './message/decode.ts';
export { encode, type FieldNames } from './message/encode.ts';
export {
  Alert,
  AlertMessage,
  Endpoint,
  Group,
  HeartbeatMessage,
  isTest,
  type Message,
  NoticeMessage,
  SpooledMessage,
  testLabel,
} from './message/message.ts';
export { queueKey } from './message/ordering-key.ts';
export {
  connectPubSub,
  type PubSubConnection,
} from './pubsub/pubsub-client.ts';
export { type Sink, SinkError, type SinkReason, sinkReasons } from './sink.ts';
export {
  type BackOff,
  type BackOffTimes,
  createBackOff,
  doubtTimes,
  mostDoubts,
  newTimes,
  usualTimes,
} from './sinks/back-off.ts';
export { createSinks, encodeAsOf, pubSubName } from './sinks/index.ts';
export {
  type Received,
  type SubscriptionState,
  subscribe,
} from './subscribe/subscribe.ts';
export { SubscribeError } from './subscribe/subscription-errors.ts';
export {
  DeadMan,
  type LocationReport,
  type Report,
} from './watch/dead-man.ts';
export { momentNow } from './watch/publish-clock.ts';
export { watchChanges } from './watch/watch-alerts.ts';
export { readWatchState, WatchState, writeWatchState } from './watch/watch-state.ts';
