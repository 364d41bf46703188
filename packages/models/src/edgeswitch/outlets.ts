/**
 * Ubiquiti EdgeSwitch: PoE ports, in Fastpath's command line over ssh or telnet.
 *
 *     switch-1: { model: edgeswitch, address: 192.168.1.11, login: switches, portCount: 24 }
 *     logins: { switches: { username: ubnt, password: { file: secrets/switch }, enablePassword: …, legacySsh: true } }
 *
 * Proven against: own simulator, which netmiko (2.4.2, `ubiquiti_edgeswitch`) drives: off, auto and reset over ssh, off and
 * passive24v over telnet, each read back. Sign-in, `enable`, pager, modes and prompts are as netmiko knows them; the PoE
 * commands and tables it only passes on, they are from the sources below. Hardware: none.
 *
 * What is set is read from `show poe port`, where the firmware has it, else from `show running-config interface`; whether
 * power flows from `show poe status`, whose rows are read from the right, since Detection is one word or two and newer
 * firmware has one more column. While the switch itself resets a port, it is set to auto and reads `Disabled`: that is off.
 *
 * Nothing is saved: after a reboot of the switch its ports are as its configuration says, that is on.
 *
 * Sources: EdgeSwitch CLI command reference, "Power over Ethernet commands"; sessions recorded by users.
 */
import type { Device } from '../contract/device.ts';
import { type DriverDeps, driverKind, type OutletDriver } from '../contract/outlets.ts';
import { cliOf } from '../families/command-line/session.ts';
import { fastpath } from '../families/fastpath/fastpath.ts';
import { atInterface, fastpathModes, readFastpath, resetPort } from '../families/fastpath/poe.ts';
import { outletName } from '../families/outlet-name.ts';

export const outlets = driverKind({ model: 'edgeswitch', experimental: false, create });

function create(device: Device, deps: DriverDeps): OutletDriver<string> {
  const use = cliOf(device, deps, fastpath);

  /** `14` is `0/14`; on a stack it is written in full. */
  function interfaceOf(outlet: string): string {
    const found = outletName(device, outlet);
    return found.includes('/') ? found : `0/${found}`;
  }

  return {
    key: interfaceOf,
    isMode: (mode) => fastpathModes.has(mode),
    read: (ports, signal) => use((cli) => readFastpath(cli, ports, signal), signal),
    async set(port, state, signal, mode = 'auto') {
      const command = `poe opmode ${state === 'on' ? mode : 'shutdown'}`;
      await use((cli) => atInterface(cli, port, command), signal);
    },
    cycle: {
      offSeconds: { least: 1, most: 60, whole: true },
      async run(port, offSeconds, signal) {
        await use((cli) => resetPort(cli, port, offSeconds), signal);
      },
    },
  };
}
