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
