/** Lists the Debian packages that a jumphost requires. */
import { nfsPackages } from './nfs.ts';

/** Programs that units and services call, and those that maintain the computer. */
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

/** @param hasNfs the overlay contains the `nfs` component */
export function packagesOf({ hasNfs }: { hasNfs: boolean }): string[] {
  return [...neededPackages, ...(hasNfs ? nfsPackages : [])];
}
