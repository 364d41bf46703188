/** Talking to network equipment. */

export {
  type ConnectedDevice,
  type Connection,
  type ConnectionDeps,
  type DeviceCli,
  type DeviceConnection,
  openConnection,
} from './connection.ts';
export {
  type Dialect,
  escapePattern,
  type LoginDialogue,
  type Pager,
  type Privilege,
  usualLogin,
} from './dialect.ts';
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
export { HostKeys, type PinnedHostKey } from './host-keys.ts';
export {
  type HttpAnswer,
  type HttpOptions,
  type HttpRequest,
  httpTo,
  type SendHttp,
} from './http.ts';
export { jsonOf, readJson } from './json.ts';
export { isLoginPage, notAnAnswer } from './login-page.ts';
export { answerMs, type Exchange, type MqttVisit, visitBroker, type Watch } from './mqtt.ts';
export { openCli, openExec } from './open.ts';
export { type Access, addressOf, type Place, type Ports, targetOf } from './place.ts';
export { type Program, type Ran, runProgram } from './program.ts';
export type {
  CliSession,
  ConnectionFacts,
  ExecBytes,
  ExecOptions,
  ExecResult,
  ExecSession,
  RunOptions,
  SessionDeps,
  Target,
} from './session.ts';
export { type PoolSession, SessionPool, type SessionPoolOptions } from './session-pool.ts';
export { shownCommand } from './shown-command.ts';
export type { OnTalk } from './talk.ts';
export { connectionError, connectTls, type TlsConnection, type TlsTarget } from './tls.ts';
export { withoutSecrets } from './without-secrets.ts';
