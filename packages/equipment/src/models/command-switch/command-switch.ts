/**
 * Anything that a program on the jumphost switches: a relay card, a vendor's tool, a custom script.
 *
 *     relay-1:
 *       model: command-switch
 *       on: [/usr/local/bin/relay, 'on', '{outlet}']
 *       off: [/usr/local/bin/relay, 'off', '{outlet}']
 *       read: { command: [/usr/local/bin/relay, state, '{outlet}'], on: '^on$', off: '^off$' }
 *       timeoutSeconds: 5
 *
 * Verified with: fence_apc_snmp (4.12.1) and snmpget (5.9.3) as its programs, which switch and read our simulated PDU, and uhubctl (2.5.0),
 * which finds no hub and says so. Each program is its author's responsibility; its exit status and the reading protect
 * against the worst errors.
 *
 * The command is run unchanged, without a shell, with only PATH and HOME from the daemon's environment. A status other than 0 is a failure,
 * whatever it prints; so is a reading that matches both expressions or neither (its output is trimmed first). After its timeout it is
 * ended, with all its children.
 */

import { DeviceRejected, runProgram } from '@skolo/equipment/transports';
import { z } from 'zod';
import type { Device } from '../contract/device.ts';
import { type DriverDeps, driverKind, type OutletDriver, oneByOne } from '../contract/outlets.ts';
import { fillOutlet } from '../families/described-facts.ts';
import { readState, whereDescribed } from '../families/on-off-patterns.ts';
import { commandSwitch } from './facts.ts';

export const outlets = driverKind({ model: 'command-switch', automaticRepair: true, create });

function create(device: Device, { onTranscript, dry }: DriverDeps): OutletDriver<string> {
  const { name } = device;
  const { on, off, read, timeoutSeconds } = z.object(commandSwitch.options).parse(device.options);

  async function run(
    command: readonly string[],
    outlet: string,
    signal: AbortSignal,
  ): Promise<string> {
    const words = command.map((word) => fillOutlet(word, outlet));
    const hint = `correct its command in ${whereDescribed(device)}`;
    const program = { command: words, timeoutMs: timeoutSeconds * 1000, hint, onTranscript, dry };
    const ran = await runProgram(name, program, signal);
    if (ran.status === 0) return ran.stdout.trim();
    const why = ran.stderr.trim().split('\n').at(-1)?.slice(0, 200);
    throw new DeviceRejected(
      name,
      `${words[0]} exited with status ${ran.status}${why && `: ${why}`}`,
    );
  }

  return {
    key: (outlet) => outlet,
    readsAtOnce: 4,
    read: oneByOne(async (outlet: string, signal) => {
      return { state: readState(device, await run(read.command, outlet, signal), read) };
    }),
    set: async (outlet, state, signal) =>
      void (await run(state === 'on' ? on : off, outlet, signal)),
  };
}
