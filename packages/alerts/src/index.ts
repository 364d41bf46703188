export {
  DeadMan,
  type DeadManOptions,
  type KeptLocation,
  type LocationReport,
  type LocationState,
  type ReceivedHeartbeat,
  type Report,
} from './dead-man.ts';
export {
  type Decoded,
  type DecodedAlert,
  type DecodedHeartbeat,
  decode,
  type NotDecoded,
} from './decode.ts';
export { type EncodeAs, type Encoded, encode, type FieldNames, heartbeatName } from './encode.ts';
export {
  Alert,
  AlertMessage,
  Endpoint,
  Group,
  HeartbeatMessage,
  isTest,
  type Message,
  Notice,
  NoticeMessage,
  SpooledMessage,
  testLabel,
} from './message.ts';
export { noOrderingKey, orderingKey } from './ordering-key.ts';
export { type Moment, momentNow } from './publish-clock.ts';
export {
  connectPubSub,
  type PubSubConnection,
  type PubSubDeps,
  type PubSubSettings,
} from './pubsub-client.ts';
export type { PubSubCredentials } from './pubsub-sign-in.ts';
export { createFileSink, type FileSinkOptions } from './sinks/file.ts';
export { createHttpSink, type HttpSinkOptions } from './sinks/http.ts';
export { createSinks, encodeAsOf, pubSubName, type SinkSettings } from './sinks/index.ts';
export { createPubSubSink, type PubSubSinkOptions } from './sinks/pubsub.ts';
export { type Sink, SinkError, type SinkReason, sinkReasons } from './sinks/sink.ts';
export { parseTemplate, type Template } from './sinks/template.ts';
export {
  type Received,
  type SubscribeConnection,
  type SubscribeOptions,
  type SubscriptionState,
  subscribe,
} from './subscribe.ts';
export { SubscribeError } from './subscription-errors.ts';
export { type WatchChanges, type WatchNow, watchChanges } from './watch-alerts.ts';
export { readWatchState, WatchState, WatchStateError, writeWatchState } from './watch-state.ts';
