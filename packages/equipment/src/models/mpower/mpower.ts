/**
 * Ubiquiti mPower strip: a small Linux with a file for each relay, over ssh.
 *
 *     strip-1: { model: mpower, address: 192.168.1.40, login: strips, outlets: 6 }
 *     logins: { strips: { username: ubnt, password: { file: secrets/strip }, legacySsh: true } }
 *
 * Verified with: our simulator, which OpenSSH has also connected to. Independent software that speaks to these files: none (pdudaemon's
 * driver does, and was read, not run).
 *
 * `relayN` is the setting, `active_pwrN` the power drawn; the meter lags by about a second. The strip's ssh is from 2011, so the login
 * requires `legacySsh`. A restart of the strip loses all settings, and turns its outlets on.
 *
 * Source: files and values as users' scripts read and write them (firmware MF.v2.1.11).
 */

import { DeviceRejected } from '@skolo/equipment/transports';
import type { BackupModel } from '../contract/backup.ts';
import type { Device } from '../contract/device.ts';
import {
  type DriverDeps,
  driverKind,
  type OutletDriver,
  type OutletReading,
} from '../contract/outlets.ts';
import { onDevice } from '../families/command-line/restore-lines.ts';
import { outputOf, shellOf } from '../families/command-line/session.ts';
import { numberIn } from '../families/command-line/table.ts';
import { systemCfgBackup } from '../families/unix/ubiquiti-system-cfg.ts';

export const outlets = driverKind({ model: 'mpower', automaticRepair: false, create });

const folder = '/proc/power';
/** Exit status of grep if it cannot read one of its files. */
const someMissing = 2;
/** The meter's reading without a load. */
const noiseWatts = 0.5;

function create(device: Device, deps: DriverDeps): OutletDriver<number> {
  const { name } = device;
  const use = shellOf(device, deps);
  const run = (command: string, signal: AbortSignal, accepted?: number) =>
    use((shell) => outputOf(shell, command, accepted), signal);

  function readingOf(number: number, values: ReadonlyMap<string, string>): OutletReading {
    const relay = values.get(`${folder}/relay${number}`);
    if (relay !== '0' && relay !== '1') {
      throw new DeviceRejected(name, `relay ${number} reads ${JSON.stringify(relay ?? '')}`);
    }
    const watts = numberIn(values.get(`${folder}/active_pwr${number}`));
    const delivering = watts === undefined ? undefined : watts > noiseWatts;
    return { state: relay === '1' ? 'on' : 'off', delivering, watts };
  }

  return {
    key: Number,
    async read(numbers, signal) {
      const files = numbers.map((n) => `${folder}/relay${n} ${folder}/active_pwr${n}`);
      // Each line begins with its file's name, because there are several.
      const text = await run(`grep . ${files.join(' ')}`, signal, someMissing);
      const lines = text.matchAll(/^([^\s:]+):(\S*)/gm);
      const values = new Map([...lines].map(([, path = '', value = '']) => [path, value]));
      return (number) => readingOf(number, values);
    },
    async set(number, state, signal) {
      await run(`echo ${state === 'on' ? 1 : 0} > ${folder}/relay${number}`, signal);
    },
  };
}

/**
 * Ubiquiti mPower strip (mFi, firmware MF.v2).
 *
 * Verified with: its simulator only.
 * rack.yaml: `strip-1: { model: mpower, address: 192.168.1.40, login: strips }`; the login has `legacySsh: true`.
 * Quirks: the order of the lines may change with any setting, and means nothing. Not included: what is in /etc/persistent (ties to
 * an mFi controller, scripts, certificates), and what the outlets are. What flash holds is not shown without writing files, so
 * changes that were not kept are not seen.
 * Source: /tmp/system.cfg as Oxidized's `airos` reads it (and its pull request 312 for the order of lines), `cfgmtd` and keys as
 * users show them (MF.v2.1.8, MF.v2.1.11).
 */

export function backup(): BackupModel {
  return systemCfgBackup({
    areas: ['users'],
    volatile: [],
    warning: 'The version does not contain the scripts or certificates in /etc/persistent',
    // Its ssh is from 2011.
    scp: '-oKexAlgorithms=+diffie-hellman-group1-sha1 -oHostKeyAlgorithms=+ssh-rsa -oCiphers=+aes128-cbc -oMACs=+hmac-sha1 ',
    activate: onDevice(
      'Shut down machines that must not lose power, and restart the PDU to activate the configuration. Outlets may turn off or on during the restart, and all of them may end up on',
      ['reboot'],
    ),
  });
}
