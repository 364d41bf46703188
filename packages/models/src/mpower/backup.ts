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
import type { BackupModel, RestoreAbout, RestoreStep } from '../backup.ts';
import {
  incompleteSystemCfg,
  putSystemCfg,
  readSystemCfg,
  systemCfgSecrets,
} from '../families/ubiquiti-system-cfg.ts';

/** Its ssh is of 2011. */
const scp =
  '-oKexAlgorithms=+diffie-hellman-group1-sha1 -oHostKeyAlgorithms=+ssh-rsa -oCiphers=+aes128-cbc -oMACs=+hmac-sha1 ';

export function backup(): BackupModel {
  return {
    format: 'text',
    read: readSystemCfg,
    proof: 'transfer',
    incomplete: (content) => incompleteSystemCfg(content, ['users']),
    volatile: [],
    secrets: systemCfgSecrets,
    restore: { comment: '#', steps },
  };
}

function steps(content: Buffer, about: RestoreAbout): RestoreStep[] {
  const warning = 'Not in it: scripts and certificates in /etc/persistent';
  return [
    ...putSystemCfg(content, about, warning, scp),
    {
      title:
        'Restart it, so that it is in force. This may switch its outlets, and turn all of them on: first shut down what must not lose power',
      where: 'device',
      lines: ['reboot'],
    },
  ];
}
