/** A device as its model sees it: what it is, where it is, how it is spoken to. Who has a rack has more of it. */
import type { Endpoint } from '@skolo/equipment';

/** How a device is spoken to. */
export type Transport = 'ssh' | 'telnet' | 'http' | 'snmp' | 'mqtt' | 'ipmi' | 'command';

export interface Device extends Endpoint {
  /** A name of `models`. */
  model: string;
  /** Name of the login in rack.yaml. */
  login?: string;
  /** Serial number: a device that reports another one is the wrong device. */
  serial?: string;
  /** How it is spoken to: one of its model's transports. */
  transport: Transport;
  /** Keys of the model's own, checked by the model's schema. */
  options: Record<string, unknown>;
}
