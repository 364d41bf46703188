export {
  DeadMan,
  type LocationReport,
  type Report,
} from './dead-man.ts';
export {
  type DecodedAlert,
  type DecodedHeartbeat,
  decode,
} from './decode.ts';
export { encode, type FieldNames } from './encode.ts';
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
} from './message.ts';
export { type Moment, momentNow } from './publish-clock.ts';
export {
  connectPubSub,
  type PubSubConnection,
} from './pubsub-client.ts';
export { createSinks, encodeAsOf, pubSubName } from './sinks/index.ts';
export { type Sink, SinkError, type SinkReason, sinkReasons } from './sinks/sink.ts';
export { parseTemplate } from './sinks/template.ts';
export { valuesOf } from './sinks/values.ts';
export {
  type Received,
  type SubscriptionState,
  subscribe,
} from './subscribe.ts';
export { SubscribeError } from './subscription-errors.ts';
export { watchChanges } from './watch-alerts.ts';
export { readWatchState, WatchState, writeWatchState } from './watch-state.ts';
