export {
  type Decoded,
  type DecodedAlert,
  type DecodedHeartbeat,
  decode,
  type NotDecoded,
} from './decode.ts';
export { type EncodeAs, type Encoded, encode, type FieldNames, heartbeatName } from './encode.ts';
export { lane, noLane } from './lane.ts';
export {
  Alert,
  AlertMessage,
  Door,
  Group,
  HeartbeatMessage,
  type Message,
  Notice,
  NoticeMessage,
  SpooledMessage,
} from './message.ts';
export { type Sink, SinkError, type SinkReason } from './sinks/sink.ts';
