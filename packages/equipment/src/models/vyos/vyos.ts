/**
 * VyOS router.
 *
 * Verified with: its simulator only; netmiko can also read it.
 * rack.yaml: `router: { model: vyos, address: 192.168.1.1, login: router, export: file }`; the account may run `configure`.
 * Quirks: it saves values in quotes and shows them without, so that settings are compared, not texts. Not included: files in
 * /config/auth and /config/user-data.
 * Source: vyatta-cfg, vyos-1x (config_mgmt.py); VyOS user guide, "Command Line Interface".
 */
import { linuxConnectedHosts, vyattaLeases } from '../families/unix/linux-connected-hosts.ts';

export { backup } from '../families/vyatta/backup.ts';

/** VyOS: see families/unix/linux-connected-hosts.ts. Leases: verified with our simulator only. */
export const connectedHosts = linuxConnectedHosts([
  vyattaLeases('show dhcp server leases', 'Hostname'),
]);
