/** A device as its model sees it: what it is, where it is, how it is spoken to. Who has a rack has more of it. */
import type { Transport } from './model.ts';

/** Ports to reach something at, where they are not the standard ones. */
export interface Ports {
  ssh?: number;
  telnet?: number;
  http?: number;
  snmp?: number;
  mqtt?: number;
  ipmi?: number;
}

export interface Device {
  name: string;
  /** A name of `models`. */
  model: string;
  address?: string;
  ports: Ports;
  /** `SHA256:…`, pinned. */
  hostKey?: string;
  /** Serial number: a device that tells another one is the wrong device. */
  serial?: string;
  /** How it is spoken to: one of its model's transports. */
  transport: Transport;
  /** Keys of the model's own, checked by the model's schema. */
  options: Record<string, unknown>;
}
