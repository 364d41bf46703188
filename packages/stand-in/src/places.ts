/** Where things are on the jumphost. */
import { join } from 'node:path';
import type { StandInService } from './services.ts';

export interface Places {
  /** Configuration; a folder for each service, with what its pod has at /etc/skolo. */
  etc: string;
  /** What must survive a reboot: who holds what. */
  state: string;
  /** What must not. */
  run: string;
  /** The installed bundles. */
  opt: string;
  /** Of the kernel. */
  proc: string;
}

export const places: Places = {
  etc: '/etc/skolo',
  state: '/var/lib/skolo/stand-in',
  run: '/run/skolo-stand-in',
  opt: '/opt/skolo',
  proc: '/proc',
};

export function configurationOf({ etc }: Places, service: StandInService): string {
  return join(etc, service.name);
}

export function rackFileOf(where: Places, service: StandInService): string {
  return join(configurationOf(where, service), 'rack.yaml');
}

export function programOf({ opt }: Places, service: StandInService): string {
  return join(opt, 'services', service.name, 'dist', 'main.js');
}
