/** Everything known at one moment, separately for each source. */
import type { DeliveryFacts } from '@skolo/alerts/delivery-state';
import type {
  AgentStatus,
  BackupEquipment,
  CommonCause,
  ControllerStatus,
  KnownAlert,
  Machine,
  MachineCondition,
  MachineOrder,
  MachinePower,
  MetadataClient,
  Order,
  PowerCycle,
} from '@skolo/api';

/** The agent of one machine. */
export interface AgentView {
  /** Its last answer; absent: none since this service started. */
  status?: AgentStatus;
  /** Time of that answer, by the wall clock, in milliseconds. */
  seenAt?: number;
  /**
   * Since that answer, or since this service started, without pauses of this service. Once it has reached the limit for a shared cause,
   * only an answer makes it smaller: see `Presence.ageOf`.
   */
  silentSeconds: number;
  /** Why the last request failed; absent: it did not fail. */
  why?: string;
}

/** What the history knows about a machine, including times before this service started. */
export interface Standing {
  condition: MachineCondition;
  /** Milliseconds since 1970. */
  since: number;
  /** When it was last seen; absent: while it is seen. */
  seenAt?: number;
}

/** Of the power-cycle daemon. */
export interface PowerView {
  /** Machines, phones and devices by name. */
  machines: ReadonlyMap<string, MachinePower>;
  controllers: ReadonlyMap<string, ControllerStatus>;
  /** When the computer booted, by the wall clock of this answer: that may have been set since. Milliseconds since 1970. */
  bootedAt?: number;
}

/** A source that does not respond is absent. */
export interface Services {
  power?: PowerView;
  /** Clients of the metadata server by name. */
  clients?: ReadonlyMap<string, MetadataClient>;
  /** Devices of router-backup by name. */
  backups?: ReadonlyMap<string, BackupEquipment>;
  /** Power cycles since this service started, and those before that the daemon still knew. */
  cycles?: ReadonlyMap<string, PowerCycle>;
  /** Firing alerts. */
  alerts?: readonly KnownAlert[];
  /** Of alert-to-pubsub. */
  delivery?: DeliveryFacts;
}

/** About one machine. */
export interface MachineSources {
  agent: AgentView;
  standing?: Standing;
  orders: readonly MachineOrder[];
  /** Reported by its agent, but assigned to no place. */
  unknownOrders: readonly Order[];
  services: Services;
  alerts: Machine['alerts'];
  cause?: CommonCause | undefined;
  flapping?: Machine['flapping'] | undefined;
  limits: { staleSeconds: number; goneSeconds: number };
}
