/**
 * Ubiquiti UniFi switch: the file that its controller made for it.
 *
 * Tried with: its simulator only.
 * rack.yaml: `switch-5: { model: unifi-switch, address: 192.168.1.15, login: unifi }`; over ssh, as only its shell has files.
 * Oddities: what it shall be is known by the controller, whose own backup (.unf) is the one to have; this is what the switch was
 * told last. Not in it: /etc/persistent/cfg/mgmt, which ties the switch to its controller (address, key, `cfgversion`): the key
 * is of this one MAC address, a replacement gets its own when it is adopted, and the old one would only keep it from that.
 * What flash holds is not shown without writing files, so changes that were not kept are not seen.
 * Source: /tmp/system.cfg and /etc/board.info as Oxidized's `unifiap` reads them; keys and `cfgmtd` as users show them;
 * `syswrapper.sh apply-config` as Ubiquiti's own tests of devices use it.
 */
import type { BackupModel } from '../contract/backup.ts';
import { systemCfgBackup } from '../families/unix/ubiquiti-system-cfg.ts';

export function backup(): BackupModel {
  return systemCfgBackup({
    areas: ['users', 'switch'],
    // A new one each time that the controller provisions it, whatever for.
    volatile: [/^(?:mgmt\.)?cfgversion=/],
    warning:
      'Its controller overwrites all of it as soon as it speaks with the switch: where there is one, restore that from its own backup (.unf) and adopt the switch there; this is for a switch without one, or until then',
    inForce: {
      title:
        'Put it in force. Ports and the network of the switch may be down for a while, and its address may be another one',
      where: 'device',
      lines: ['syswrapper.sh apply-config'],
    },
  });
}
