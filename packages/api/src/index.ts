/** The HTTP APIs of all services: routes, schemas and a typed client. */
export {
  alertToPubsubApi,
  DeadLetter,
  KnownAlert,
  Receiver,
  ReceiverStatus,
  SinkStatus,
} from './alert-to-pubsub.ts';
export { AuditEntry, AuditPage, auditApi } from './audit/log-api.ts';
export { type AuditLogOf, mergeAuditLogs } from './audit/merge-logs.ts';
export { ConsoleSession, consoleApi } from './console.ts';
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
export { Cause } from './incident/cause.ts';
export {
  Away,
  Evidence,
  Incident,
  IncidentMachine,
  IncidentReport,
} from './incident/incident-api.ts';
export {
  CommonCause,
  Curve,
  CycleRequest,
  HistoryEntry,
  Machine,
  MachineAlert,
  MachineCondition,
  MachineDowntime,
  MachineOrder,
  machineStateApi,
  RackEquipment,
  RackPort,
  RackView,
  ServiceState,
} from './machine-state.ts';
export { MetadataClient, MetadataIdentity, metadataServerApi } from './metadata-server.ts';
export {
  AcceptedRequests,
  ControllerStatus,
  CycleMode,
  CycleStep,
  Hold,
  HoldKind,
  MachinePower,
  Outcome,
  OutletStatus,
  PowerAction,
  PowerCycle,
  powerCycleDaemonApi,
  Rejection,
  StepRecord,
} from './power-cycle-daemon.ts';
export { ApiError, ApiUnreachable, whyFetchFailed } from './route/api-error.ts';
export type { Client, ClientAnswer } from './route/calls.ts';
export { type ClientOptions, createClient, type Fetch } from './route/client.ts';
export { Problem, problemType } from './route/problem.ts';
export {
  type Api,
  type Role,
  type RouteSpec,
  roleOf,
  route,
  type SendEvent,
} from './route/route.ts';
export { challengeHeader, createSigner, type Signer } from './route/signature.ts';
export {
  BackupEquipment,
  BackupRun,
  BackupState,
  BackupVersion,
  ConnectedHost,
  ConnectedHosts,
  FailureClass,
  historyPieceBytes,
  LostHistory,
  OffsiteStatus,
  RestoreStep,
  RunEquipment,
  RunResult,
  routerBackupApi,
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
export { Timeline, TimelineRow } from './timeline/timeline-api.ts';
export { timelineText } from './timeline/timeline-text.ts';
