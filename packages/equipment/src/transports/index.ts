/** Connections and sessions with network equipment. */

export { throwIfRejected } from './cli/answer.ts';
export { type Dialect, escapePattern, type Pager } from './cli/dialect.ts';
export { type Access, addressOf, type Endpoint, type Ports, targetOf } from './endpoint.ts';
export {
  AnswerCut,
  AnswerUncertain,
  DeviceAsks,
  DeviceBusy,
  DeviceError,
  DeviceRejected,
  DeviceTimeout,
  DeviceUnreachable,
  HostKeyChanged,
  OutputNotStored,
  SignInRejected,
} from './errors.ts';
export { HostKeys } from './host-keys.ts';
export { isLoginPage, notAnAnswer, readJson } from './http/answer.ts';
export { type HttpAnswer, type HttpOptions, httpTo } from './http/http.ts';
export { BasicNotOffered } from './http/sign-in.ts';
export { answerMs, type Exchange, type MqttVisit, visitBroker } from './mqtt.ts';
export { runProgram } from './program.ts';
export { withAnyOf } from './session/any-of.ts';
export {
  type Connection,
  type ConnectionDeps,
  type DeviceCli,
  type DeviceConnection,
  openConnection,
} from './session/connection.ts';
export { openCli, openExec } from './session/open.ts';
export { type PoolSession, SessionPool } from './session/pool.ts';
export type {
  CliSession,
  ConnectionFacts,
  Dial,
  ExecResult,
  ExecSession,
  SessionDeps,
} from './session.ts';
export type { DialDatagrams } from './snmp/datagrams.ts';
export type { OnTranscript, Recorded } from './stream/transcript.ts';
