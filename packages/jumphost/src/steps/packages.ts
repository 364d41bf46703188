/** Packages of Debian that a jumphost needs. */
import { nfsPackages } from './nfs.ts';

/** What units and services call, and what keeps the computer well. */
const neededPackages = [
  'ca-certificates',
  'chrony',
  'iproute2',
  'ipmitool',
  'iputils-ping',
  'nftables',
  'openssh-server',
  'smartmontools',
  'sudo',
  'systemd',
  'unattended-upgrades',
];

/** @param hasNfs the overlay has the component `nfs` */
export function packagesOf({ hasNfs }: { hasNfs: boolean }): string[] {
  return [...neededPackages, ...(hasNfs ? nfsPackages : [])];
}
