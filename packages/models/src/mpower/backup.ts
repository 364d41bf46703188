/**
 * Ubiquiti mPower strip (mFi, firmware MF.v2).
 *
 * Tried with: its simulator only.
 * rack.yaml: `strip-1: { model: mpower, address: 192.168.1.40, login: strips }`; the login has `legacySsh: true`.
 * Oddities: the order of the lines may change with any setting, and means nothing. Not in it: what is in /etc/persistent (ties to
 * an mFi controller, scripts, certificates), and what the outlets are. What flash holds is not shown without writing files, so
 * changes that were not kept are not seen.
 * Source: /tmp/system.cfg as Oxidized's `airos` reads it (and its pull request 312 for the order of lines), `cfgmtd` and keys as
 * users show them (MF.v2.1.8, MF.v2.1.11).
 */
import type { BackupModel } from '../contract/backup.ts';
import { systemCfgBackup } from '../families/unix/ubiquiti-system-cfg.ts';

export function backup(): BackupModel {
  return systemCfgBackup({
    areas: ['users'],
    volatile: [],
    warning: 'Not in it: scripts and certificates in /etc/persistent',
    // Its ssh is of 2011.
    scp: '-oKexAlgorithms=+diffie-hellman-group1-sha1 -oHostKeyAlgorithms=+ssh-rsa -oCiphers=+aes128-cbc -oMACs=+hmac-sha1 ',
    inForce: {
      title:
        'Restart it, so that it is in force. This may switch its outlets, and turn all of them on: first shut down what must not lose power',
      where: 'device',
      lines: ['reboot'],
    },
  });
}
