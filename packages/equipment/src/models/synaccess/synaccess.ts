/**
 * Synaccess netBooter (NP and B series), over HTTP.
 *
 *     pdu-1: { model: synaccess, address: 192.168.1.20, outlets: 5, login: pdus }
 *
 * Verified with: our simulator. Independent software: none (pdudaemon's driver uses telnet; curl was asked by hand).
 *
 * Quirks. Arguments are separated by one space, whatever the manual prints, and `$` is not escaped. Every answer has
 * status 200, also `$AF`, which means failed or not understood. The status lists outlets from the right, and tells the
 * current of all together, in amperes, so there are no watts of an outlet. It serves one client at a time and takes about a
 * second. How long `$A4` leaves an outlet off is set in the device's own menu.
 *
 * `$A7` is like `$A3` without an outlet, and hits all of them: it is never sent, and `$A3` is made from a checked number.
 *
 * Source: netBooter user's guide, "API return codes"; measurements of NP-0501DU (rmrfslashbin/netcommander).
 */

import { type DeviceError, DeviceRejected, httpTo, notAnAnswer } from '@skolo/equipment/transports';
import type { Device } from '../contract/device.ts';
import { type DriverDeps, driverKind, type OutletDriver } from '../contract/outlets.ts';
import { checkCount } from '../families/outlet-count.ts';

export const outlets = driverKind({ model: 'synaccess', automaticRepair: false, create });

function create(device: Device, deps: DriverDeps): OutletDriver<number> {
  const { name } = device;
  const send = httpTo(device, deps, { https: device.options.https === true, signIn: 'basic' });

  async function ask(command: string, signal: AbortSignal): Promise<string> {
    const path = `/cmd.cgi?${command.replaceAll(' ', '%20')}`;
    return (await send({ path }, signal)).body.trim();
  }

  async function tell(command: string, signal: AbortSignal): Promise<void> {
    const answer = await ask(command, signal);
    const lines = answer.split(/\r?\n/);
    if (lines.includes('$AF')) throw new DeviceRejected(name, `reported that ${command} failed`);
    if (!lines.includes('$A0')) throw senseless(name, answer);
  }

  return {
    key: Number,
    async read(_numbers, signal) {
      // The first outlet comes last, so another number of them moves none.
      const bits = statusBits(name, await ask('$A5', signal));
      return (number) => {
        const bit = bits.at(-number);
        return { state: bit === '1' ? 'on' : bit === '0' ? 'off' : 'unknown' };
      };
    },
    async report(_numbers, signal) {
      checkCount(device, statusBits(name, await ask('$A5', signal)).length, 'outlet');
      return { of: () => ({}) };
    },
    set: (number, state, signal) => tell(`$A3 ${number} ${state === 'on' ? 1 : 0}`, signal),
    cycle: { offSeconds: 'fixed', run: (number, _, signal) => tell(`$A4 ${number}`, signal) },
  };
}

/** The outlets of a status, the first one last. Older firmware leaves out `$A0,`. */
function statusBits(device: string, status: string): string {
  // Currents and the temperature follow, whose form depends on the firmware.
  const [, bits] = /^(?:\$A0,)?([01X?-]*[01][01X?-]*),/m.exec(status) ?? [];
  if (bits === undefined) throw senseless(device, status);
  return bits;
}

function senseless(device: string, answer: string): DeviceError {
  return notAnAnswer(device, answer, 'a netBooter response');
}
