/**
 * Fastpath behind a Linux shell, on older UniFi switches. `telnet 127.0.0.1` in the shell leads to `(UBNT) >`, where `enable` asks for no
 * password.
 */

import {
  type CliSession,
  DeviceRejected,
  type Dialect,
  type ExecResult,
  type ExecSession,
} from '@skolo/equipment/transports';
import type { BackupModel } from '../contract/backup.ts';
import type { Device } from '../contract/device.ts';
import {
  CannotCycle,
  type DriverDeps,
  driverKind,
  type OutletDriver,
  type OutletReading,
  orCannotCycle,
  readBriefly,
} from '../contract/outlets.ts';
import { cliConnectedHosts } from '../families/command-line/connected-hosts.ts';
import { onDevice } from '../families/command-line/restore-lines.ts';
import {
  type Cli,
  cliWithin,
  openCliOf,
  openExecOf,
  outputOf,
  type Shell,
  sharing,
  shellWithin,
  shortened,
} from '../families/command-line/session.ts';
import { numberIn } from '../families/command-line/table.ts';
import { fastpath } from '../families/fastpath/fastpath.ts';
import { readFastpath, resetPort, setFastpath } from '../families/fastpath/poe.ts';
import { macPattern } from '../families/mac-address.ts';
import { linuxShell } from '../families/unix/linux-shell.ts';
import { systemCfgBackup } from '../families/unix/ubiquiti-system-cfg.ts';

export const fastpathBehindShell: Dialect = {
  ...fastpath,
  name: 'fastpath-behind-shell',
  through: { dialect: linuxShell, command: 'telnet 127.0.0.1' },
  // The second one leaves the shell.
  signOut: ['logout', 'exit'],
};

/**
 * `swctrl`, the program in the shell of UniFi switches that sets and shows PoE ports.
 *
 * Without `id` it means every port, also when what follows is mistyped. So a command is made from a checked number, and
 * what all other ports are set to is compared before and after it, unless it turns a port on, which depends on no reading.
 *
 * Only `auto` and `off` are known to be accepted. A port in another mode (`Pasv24`, `Passthrough`) is not turned off, since it
 * could not be turned on as it was; it can be restarted.
 *
 * Sources: sessions recorded by users (US-24, USW-Lite-16, USW-Flex); devwithimagination.com, 2022-08-07, on `id`.
 */

const listSwctrl = 'swctrl poe show';

/** A row of its table. */
interface Port {
  /** `auto`, `off`, `pasv24`, `passthrough`. */
  setting: string;
  delivering?: boolean;
  watts?: number | undefined;
}

/** Whether the switch lacks this program. */
function isMissing({ status, stderr }: ExecResult): boolean {
  return status === 127 || /: (?:command )?not found/.test(stderr);
}

export async function readSwctrl(shell: Shell): Promise<(number: number) => OutletReading> {
  const ports = await list(shell);
  return (number) => {
    const { setting, ...measured } = portOf(shell.device, ports, number);
    return setting === 'off'
      ? { state: 'off', ...measured }
      : { state: 'on', ...measured, mode: setting };
  };
}

export async function setSwctrl(
  shell: Shell,
  number: number,
  setting: 'auto' | 'off',
): Promise<void> {
  const { device } = shell;
  const command = `swctrl poe set ${setting} id ${number}`;
  if (setting === 'auto') return await tell(shell, command);
  const before = await list(shell);
  const { setting: previous } = portOf(device, before, number);
  if (previous !== 'auto' && previous !== 'off') {
    const hint =
      'skolo could not restore this mode after turning the port off; power-cycle the port instead';
    throw new DeviceRejected(device, `port ${number} is set to ${previous}; ${hint}`);
  }
  await tell(shell, command);
  checkOthers(device, number, before, await list(shell));
}

/** @throws CannotCycle Nothing was done. After any other DeviceError, it may have been. */
export async function restartSwctrl(shell: Shell, number: number): Promise<void> {
  const { device } = shell;
  const before = await orCannotCycle(list(shell));
  if (!before.has(number))
    throw new CannotCycle(device, `the list of ports does not contain port ${number}`);
  await orCannotCycle(tell(shell, `swctrl poe restart id ${number}`));
  checkOthers(device, number, before, await list(shell));
}

async function tell(shell: Shell, command: string): Promise<void> {
  const { status, stdout, stderr } = await shell.exec(command);
  const output = shortened(`${stdout} ${stderr}`);
  if (status === 0 && output === '') return;
  const why = output || `status ${status}`;
  throw new DeviceRejected(shell.device, `rejects ${JSON.stringify(command)}: ${why}`);
}

function checkOthers(
  device: string,
  number: number,
  before: ReadonlyMap<number, Port>,
  after: ReadonlyMap<number, Port>,
): void {
  const changed = [...before].flatMap(([other, { setting }]) => {
    const now = other === number ? undefined : after.get(other);
    return now === undefined || now.setting === setting ? [] : [other];
  });
  if (changed.length === 0) return;
  const what = `changing port ${number} also changed other ports: ${changed.join(', ')}; check these ports`;
  throw new DeviceRejected(device, what);
}

/** Without rows that are not understood. */
async function list(shell: Shell): Promise<Map<number, Port>> {
  const rows = (await outputOf(shell, listSwctrl))
    .split('\n')
    .map((line) => line.trim().split(/\s+/));
  return new Map(
    rows.flatMap(([number = '', setting = '', ...row]) => {
      if (!/^\d+$/.test(number) || !/^[a-z][a-z0-9]*$/i.test(setting)) return [];
      // The class is one or two words, so later columns are counted from the right.
      const [power = '', , watts] = row.slice(-5);
      const isPower = power === 'On' || power === 'Off';
      const measured = isPower ? { delivering: power === 'On', watts: numberIn(watts) } : {};
      const port = { setting: setting.toLowerCase(), ...measured };
      return [[Number(number), port] as const];
    }),
  );
}

function portOf(device: string, ports: ReadonlyMap<number, Port>, number: number): Port {
  const port = ports.get(number);
  if (port !== undefined) return port;
  throw new DeviceRejected(device, `the list of ports does not contain port ${number}`);
}

/**
 * Ubiquiti UniFi switch: PoE ports, over ssh. Newer models have `swctrl` in their shell, older ones Fastpath behind
 * `telnet 127.0.0.1`; which of them is seen once for each session. Over telnet it is always Fastpath.
 *
 *     switch-5: { model: unifi-switch, address: 192.168.1.15, login: unifi, portCount: 16 }
 *     logins: { unifi: { username: admin, password: { file: secrets/unifi } } }
 *
 * Verified with: our simulator, which OpenSSH has also connected to. Netmiko (2.4.2) turns ports of its Fastpath off and on,
 * as an EdgeSwitch's; of `swctrl` no independent software knows (scripts with these commands were read).
 *
 * A port that restarts shows `Auto` and no power, just like one with nothing plugged in, so it is reported as off only while
 * a restart of ours is under way. The controller overwrites what was not set there, and so does a reboot.
 *
 * Sources: see swctrl.ts and families/fastpath/poe.ts.
 */
export const outlets = driverKind({ model: 'unifi-switch', automaticRepair: false, create });

const resetSeconds = 5;
/** By then, the switch has finished its own restart of a port. */
const restartMs = 30_000;

function create(device: Device, deps: DriverDeps): OutletDriver<number> {
  const use = sharing(device, deps, open, within);
  /** Until when a port without power counts as restarting. */
  const restarting = new Map<number, number>();

  /** Shell commands if it has `swctrl`, otherwise Fastpath's command line. */
  async function open(signal: AbortSignal): Promise<ExecSession | CliSession> {
    if (device.transport !== 'telnet') {
      const exec = await openExecOf(device, deps, signal);
      let lacksIt = true;
      try {
        const list = () => exec.exec(listSwctrl, { signal });
        const listed = await readBriefly(device.name, signal, list);
        // It is not missing where it does not answer.
        lacksIt = listed !== undefined && isMissing(listed);
        if (!lacksIt) return exec;
      } finally {
        if (lacksIt) await exec.close();
      }
    }
    return await openCliOf(device, deps, fastpathBehindShell, signal);
  }

  function withRestart(number: number, reading: OutletReading): OutletReading {
    const until = restarting.get(number);
    if (until === undefined) return reading;
    const isOver = reading.state !== 'on' || reading.delivering || performance.now() > until;
    if (isOver) restarting.delete(number);
    return isOver ? reading : { ...reading, mode: undefined, state: 'off' };
  }

  return {
    key: Number,
    isMode: (mode) => mode === 'auto',
    async read(numbers, signal) {
      const readingOf = await use(async (session) => {
        if ('exec' in session) return readSwctrl(session);
        const readFrom = await readFastpath(session, numbers.map(interfaceOf), signal);
        return (number: number) => readFrom(interfaceOf(number));
      }, signal);
      return (number) => withRestart(number, readingOf(number));
    },
    async set(number, state, signal) {
      restarting.delete(number);
      await use(async (session) => {
        if ('exec' in session) return setSwctrl(session, number, state === 'on' ? 'auto' : 'off');
        await setFastpath(session, interfaceOf(number), state);
      }, signal);
    },
    cycle: {
      offSeconds: 'fixed',
      async run(number, _offSeconds, signal) {
        // From now on, because a later failure does not mean that it was not carried out.
        restarting.set(number, performance.now() + restartMs);
        try {
          await use((session) => {
            if ('exec' in session) return restartSwctrl(session, number);
            return resetPort(session, interfaceOf(number), resetSeconds);
          }, signal);
        } catch (error) {
          if (error instanceof CannotCycle) restarting.delete(number);
          throw error;
        }
      },
    },
  };
}

function within(
  device: string,
  session: ExecSession | CliSession,
  signal: AbortSignal,
): Shell | Cli {
  return 'exec' in session
    ? shellWithin(device, session, signal)
    : cliWithin(device, session, signal);
}

/** Of Fastpath. */
function interfaceOf(number: number): string {
  return `0/${number}`;
}

/**
 * Ubiquiti UniFi switch: the file that its controller made for it.
 *
 * Verified with: its simulator only.
 * rack.yaml: `switch-5: { model: unifi-switch, address: 192.168.1.15, login: unifi }`; over ssh, as only its shell has files.
 * Quirks: what it shall be is known by the controller, whose own backup (.unf) is the one to have; this is what the switch was
 * told last. Not included: /etc/persistent/cfg/mgmt, which ties the switch to its controller (address, key, `cfgversion`): the key
 * is of this one MAC address, a replacement gets its own when it is adopted, and the old one would only keep it from that.
 * What flash holds is not shown without writing files, so changes that were not kept are not seen.
 * Source: /tmp/system.cfg and /etc/board.info as Oxidized's `unifiap` reads them; keys and `cfgmtd` as users show them;
 * `syswrapper.sh apply-config` as Ubiquiti's own tests of devices use it.
 */

export function backup(): BackupModel {
  return systemCfgBackup({
    areas: ['users', 'switch'],
    // A new one whenever the controller provisions it, for any reason.
    volatile: [/^(?:mgmt\.)?cfgversion=/],
    warning:
      'A controller overwrites the whole configuration as soon as it connects to the switch. If the switch has a controller, restore the controller from its own backup (.unf), and adopt the switch there; until then, or without a controller, use these steps',
    activate: onDevice(
      "Apply the version. Ports and the switch's network may be down for a while, and the switch's address may change",
      ['syswrapper.sh apply-config'],
    ),
  });
}

/**
 * Ubiquiti UniFi switch: what `swctrl` shows, over ssh.
 *
 * Verified with: our simulator only, whose MAC table has the form of recorded sessions, with addresses and names where the switch
 * has seen them. Models without `swctrl` are not read. Its uplink is marked in front of the port.
 * Source: sessions of users (USW-Pro-Max-48, US-8).
 */
export const connectedHosts = cliConnectedHosts({
  dialect: { errors: linuxShell.errors },
  macs: {
    command: 'swctrl mac show',
    header: /^port\s+vlan\s+mac/im,
    row: new RegExp(
      String.raw`^\s*(?<port>\d+)\s+(?<vlan>\d+)\s+(?<mac>${macPattern})(?:\s+(?<address>\d+(?:\.\d+){3}))?(?:\s+(?<hostname>[A-Za-z]\S*))?`,
    ),
  },
  links: {
    command: 'swctrl port show',
    header: /^[@U \t]*\d+[ \t]+[UD]\/[UD]\s/m,
    row: /^\s*(?:[@U]+\s+)?(?<port>\d+)\s+[UD]\/(?<link>[UD])\s/,
  },
});
