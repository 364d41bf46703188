/**
 * Ubiquiti EdgeRouter (EdgeOS).
 *
 * Tried with: its simulator only, whose texts are those of vyatta-cfg; RANCID reads it as well.
 * rack.yaml: `router: { model: edgeos, address: 192.168.1.1, login: router, export: file }`; a user of level admin.
 * Oddities: `show configuration` hides secrets, what `save` asks does not. A commit that waits to be confirmed needs `system
 * config-management commit-revisions`, and goes back by a reboot to what was saved. Not in it: files in /config beside it, such
 * as keys and certificates in /config/auth.
 * Source: vyatta-cfg (vyatta-save-config.pl, vyatta-load-config.pl), vyatta-config-mgmt; EdgeOS user guide.
 */
export { vyattaBackup as backup } from '../families/vyatta/backup.ts';
