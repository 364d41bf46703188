/** A device as its model sees it: its kind, its address, its transport. Callers with a rack know more about it. */
import type { Endpoint } from '@skolo/equipment/transports';

/** Transports. */
export type Transport = 'ssh' | 'telnet' | 'http' | 'snmp' | 'mqtt' | 'ipmi' | 'command';

export interface Device extends Endpoint {
  /** A name of `models`. */
  model: string;
  /** The description that its options come from, such as `lab/epdu` or a table; absent: its entry in rack.yaml. */
  description?: string;
  /** Name of the login in rack.yaml. */
  login?: string;
  /** Serial number: a device that reports a different one is the wrong device. */
  serial?: string;
  /** One of its model's transports. */
  transport: Transport;
  /** The model's own keys, checked by the model's schema. */
  options: Record<string, unknown>;
}
