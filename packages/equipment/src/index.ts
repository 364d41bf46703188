/** Talking to network equipment. */

export { withAnyOf } from './any-of.ts';
export {
  type Connection,
  type ConnectionDeps,
  type DeviceCli,
  type DeviceConnection,
  openConnection,
} from './connection.ts';
export type { DialDatagrams } from './datagrams.ts';
export { type Dialect, escapePattern, type Pager, usualLogin } from './dialect.ts';
export {
  AnswerCut,
  AnswerUncertain,
  DeviceBusy,
  DeviceError,
  DeviceRefused,
  DeviceTimeout,
  DeviceUnreachable,
  HostKeyChanged,
  OutputNotStored,
  SignInRefused,
} from './errors.ts';
export { HostKeys } from './host-keys.ts';
export { type HttpAnswer, type HttpOptions, httpTo } from './http.ts';
export { isLoginPage, notAnAnswer, readJson } from './http-answer.ts';
export { answerMs, type Exchange, type MqttVisit, visitBroker } from './mqtt.ts';
export { openCli, openExec } from './open.ts';
export { type Access, addressOf, type Place, type Ports, targetOf } from './place.ts';
export { runProgram } from './program.ts';
export { publicKeyOf } from './public-key.ts';
export type {
  CliSession,
  ConnectionFacts,
  Dial,
  ExecResult,
  ExecSession,
  SessionDeps,
  Target,
} from './session.ts';
export { type PoolSession, SessionPool } from './session-pool.ts';
