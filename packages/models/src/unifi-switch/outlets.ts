/**
 * Ubiquiti UniFi switch: PoE ports, over ssh. Newer models have `swctrl` in their shell, older ones Fastpath behind
 * `telnet 127.0.0.1`; which of them is seen once for each session. Over telnet it is always Fastpath.
 *
 *     switch-5: { model: unifi-switch, address: 192.168.1.15, login: unifi, portCount: 16 }
 *     logins: { unifi: { username: admin, password: { file: secrets/unifi } } }
 *
 * Proven against: own simulator, which OpenSSH has spoken to as well. Netmiko (2.4.2) turns ports of its Fastpath off and on,
 * as an EdgeSwitch's; of `swctrl` no independent software knows (scripts with these commands were read). Hardware: none.
 *
 * A port that restarts shows `Auto` and no power, just like one with nothing plugged in, so it is reported as off only while
 * a restart of ours is under way. The controller overwrites what was not set there, and so does a reboot.
 *
 * Sources: see swctrl.ts and families/fastpath/poe.ts.
 */
import type { CliSession, ExecSession } from '@skolo/equipment';
import type { Device } from '../contract/device.ts';
import {
  CannotCycle,
  type DriverDeps,
  driverKind,
  type OutletDriver,
  type OutletReading,
} from '../contract/outlets.ts';
import {
  type Cli,
  cliWithin,
  openCliOf,
  openExecOf,
  type Shell,
  sharing,
  shellWithin,
} from '../families/command-line/session.ts';
import { atInterface, readFastpath, resetPort } from '../families/fastpath/poe.ts';
import { outletNumber } from '../families/outlet-name.ts';
import { fastpathBehindShell } from './dialect.ts';
import { isMissing, listSwctrl, readSwctrl, restartSwctrl, setSwctrl } from './swctrl.ts';

export const outlets = driverKind({ model: 'unifi-switch', experimental: true, create });

const resetSeconds = 5;
/** A restart of the switch's own is over by then. */
const restartMs = 30_000;

function create(device: Device, deps: DriverDeps): OutletDriver<number> {
  const use = sharing(device, deps, open, within);
  /** Until when a port without power is one that restarts. */
  const restarting = new Map<number, number>();

  /** Commands of the shell where it has `swctrl`, else Fastpath's command line. */
  async function open(signal: AbortSignal): Promise<ExecSession | CliSession> {
    if (device.transport !== 'telnet') {
      const exec = await openExecOf(device, deps, signal);
      try {
        if (!isMissing(await exec.exec(listSwctrl, { signal }))) return exec;
      } catch (error) {
        await exec.close();
        throw error;
      }
      await exec.close();
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
    key: (outlet) => outletNumber(device, outlet),
    isMode: (mode) => mode === 'auto',
    async read(numbers, signal) {
      const readingOf = await use(async (session) => {
        if ('exec' in session) return readSwctrl(session);
        const readFrom = await readFastpath(session, numbers.map(portOf), signal);
        return (number: number) => readFrom(portOf(number));
      }, signal);
      return (number) => withRestart(number, readingOf(number));
    },
    async set(number, state, signal) {
      restarting.delete(number);
      await use(async (session) => {
        if ('exec' in session) return setSwctrl(session, number, state === 'on' ? 'auto' : 'off');
        const command = `poe opmode ${state === 'on' ? 'auto' : 'shutdown'}`;
        await atInterface(session, portOf(number), command);
      }, signal);
    },
    cycle: {
      offSeconds: 'fixed',
      async run(number, _offSeconds, signal) {
        // From now on, since a failure below may come after it was carried out.
        restarting.set(number, performance.now() + restartMs);
        try {
          await use((session) => {
            if ('exec' in session) return restartSwctrl(session, number);
            return resetPort(session, portOf(number), resetSeconds);
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
function portOf(number: number): string {
  return `0/${number}`;
}
