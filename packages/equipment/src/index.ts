/** Talking to network equipment. */

export { ciscoIos } from './dialects/cisco-ios.ts';
export {
  type Dialect,
  escapePattern,
  type LoginDialogue,
  type Privilege,
  usualLogin,
} from './dialects/dialect.ts';
export { eos } from './dialects/eos.ts';
export { fastpath } from './dialects/fastpath.ts';
export { fastpathBehindShell } from './dialects/fastpath-behind-shell.ts';
export { frr } from './dialects/frr.ts';
export { type GenericDialectOptions, genericDialect } from './dialects/generic.ts';
export { junos } from './dialects/junos.ts';
export { linuxShell } from './dialects/linux-shell.ts';
export { nxos } from './dialects/nxos.ts';
export { procurve } from './dialects/procurve.ts';
export { routeros } from './dialects/routeros.ts';
export { vyatta } from './dialects/vyatta.ts';
export {
  AnswerCut,
  AnswerUncertain,
  DeviceBusy,
  DeviceError,
  DeviceRefused,
  DeviceTimeout,
  DeviceUnreachable,
  HostKeyChanged,
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
export { allPagers, type Pager } from './pagers.ts';
export { type Access, addressOf, type Place, type Ports } from './place.ts';
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
