export {
  alertToPubsubApi,
  DeadLetter,
  KnownAlert,
  Receiver,
  ReceiverStatus,
  SinkStatus,
} from './alert-to-pubsub.ts';
export { alertmanagerApi, type GettableAlert } from './alertmanager.ts';
export { AuditEntry, AuditPage, auditApi } from './audit/audit.ts';
export { type AuditedChange, type AuditOf, joinAudits } from './audit/audit-join.ts';
export { ConsoleSession, consoleApi } from './console.ts';
export { DeskRack, deskApi } from './desk.ts';
export {
  EnrolledPi,
  EnrolmentSecret,
  EnrolRequest,
  enrolmentApi,
  enrolmentsApi,
  keyHeader,
  mostLockdownBytes,
  RevokedPi,
  WaitCode,
  WaitingPi,
} from './enrolment.ts';
export {
  CommonCause,
  Curve,
  HistoryEntry,
  Machine,
  MachineAlert,
  MachineCondition,
  MachineOrder,
  machineStateApi,
  RackElement,
  RackPort,
  RackView,
  ServiceState,
  SickMachine,
} from './machine-state.ts';
export { MetadataClient, MetadataIdentity, metadataServerApi } from './metadata-server.ts';
export {
  ControllerStatus,
  CycleMode,
  CycleStep,
  Hold,
  MachinePower,
  Outcome,
  OutletStatus,
  PowerAction,
  PowerCycle,
  powerCycleDaemonApi,
  Refusal,
  StepRecord,
} from './power-cycle-daemon.ts';
export { ApiError, ApiUnreachable, whyUnreachable } from './route/api-error.ts';
export {
  type Client,
  type ClientAnswer,
  type ClientOptions,
  createClient,
  type Fetch,
} from './route/client.ts';
export { Problem, problemType } from './route/problem.ts';
export {
  type Api,
  type Role,
  type RouteSpec,
  route,
  type SendEvent,
} from './route/route.ts';
export { challengeHeader, createSigner, type Signer } from './route/signature.ts';
export {
  BackupDevice,
  BackupRun,
  BackupVersion,
  DeviceResult,
  DeviceState,
  DeviceStations,
  FailureClass,
  historyPieceBytes,
  LostHistory,
  OffsiteStatus,
  RestoreStep,
  RunDevice,
  routerBackupApi,
  Station,
} from './router-backup.ts';
export {
  AgentStatus,
  DeviceStatus,
  HealthStatus,
  LogLine,
  Order,
  swarmingClientApi,
} from './swarming-client.ts';
export { Time } from './time.ts';
