/** The state behind the scripted services: an example that people read in sessions and pages, or a generated rack of any size. */
import type {
  BackupEquipment,
  BackupRun,
  BackupVersion,
  ConnectedHosts,
  ControllerStatus,
  Curve,
  DeadLetter,
  HistoryEntry,
  Hold,
  KnownAlert,
  LostHistory,
  Machine,
  MachineDowntime,
  MachinePower,
  MetadataClient,
  MetadataIdentity,
  OffsiteStatus,
  OutletStatus,
  PowerAction,
  PowerCycle,
  RackView,
  Rejection,
  RunEquipment,
} from '@skolo/api';

/** Of machine-state. */
export interface MachineWorld {
  machines(): readonly Machine[];
  rack(): RackView;
  history(machine: Machine, span: { from: number; to: number }): HistoryEntry[];
  curves?(span: { from: number; to: number }): Curve[];
  downtime(): readonly MachineDowntime[];
  /** A machine has changed. */
  show?(machine: Machine): void;
  /** The agent of this machine does not respond. */
  isAway?(machine: string): boolean;
}

/** Of the power-cycle daemon. */
export interface PowerWorld {
  machines(): MachinePower[];
  outlets?(): OutletStatus[];
  controllers(): ControllerStatus[];
  holds(): Hold[];
  /** Past ones, newest first. */
  cycles(): PowerCycle[];
  hostKeys(): { equipment: string; fingerprint: string; firstSeen: string }[];
  isKnown(target: string): boolean;
  rejectionOf(
    target: string,
    asked: { force: boolean; action: PowerAction },
  ): Rejection | undefined;
  /** Somebody has turned an outlet on or off. */
  switched?(outlet: string, state: 'on' | 'off', by: string): void;
}

/** Of the router backup. */
export interface BackupWorld {
  devices(): BackupEquipment[];
  offsite(): OffsiteStatus[];
  /** Newest first. */
  versionsOf(device: string): Version[];
  masked(text: string): string;
  pastRuns(): BackupRun[];
  /** The result of each, whenever it is read. */
  resultOf(device: string): RunEquipment;
  /** After an incomplete copy was restored. */
  lost(): LostHistory[];
  /** Undefined: it does not respond. */
  connectedHostsOf(device: string): ConnectedHosts | undefined;
}

export interface Version {
  version: BackupVersion;
  content: string;
}

/** Of the metadata server. */
export interface MetadataWorld {
  clients(): MetadataClient[];
  identities(): MetadataIdentity[];
}

/** Of alert-to-pubsub. */
export interface AlertWorld {
  knownAlerts(): KnownAlert[];
  deadLetters(): DeadLetter[];
}
