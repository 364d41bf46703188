/**
 * A server's management controller, over IPMI 2.0 (RMCP+), by ipmitool. Its one outlet is `chassis`.
 *
 *     host-1-bmc: { model: ipmi, address: 192.168.1.60, login: bmcs, cipherSuite: 3 }
 *     host-1: { kind: host, power: host-1-bmc, … }
 *
 * Verified with: ipmi_sim (OpenIPMI 2.0.33), through ipmitool 1.8.19.
 *
 * Quirks. A controller confirms a command before the power changes; the reading shows the result. Many refuse to cycle a server that is
 * off. The controller decides the off time of a cycle (at least 1 s). A wrong password and a wrong user differ from silence only in the
 * verbose output of ipmitool. Controllers that know cipher suite 3 only (before 2015 or so) need `cipherSuite: 3`. The requested privilege
 * is "operator", which power commands require.
 *
 * The password and the controller's key (`kg` of the login) are passed in ipmitool's environment, not in its arguments, which every user of
 * the computer could read. As text: only arguments could contain a key with zero or non-ASCII bytes (ipmi_main.c), so such a key is rejected.
 *
 * Source: ipmitool(1); IPMI 2.0, 20.1 (device ID), 28.2 and 28.3 (chassis status with the power restore policy, chassis control), 13.17 to 13.24 (RMCP+).
 */

import type { Secret } from '@skolo/base/secrets';
import {
  addressOf,
  DeviceBusy,
  type DeviceError,
  DeviceRejected,
  DeviceUnreachable,
  runProgram,
  SignInRejected,
  withAnyOf,
} from '@skolo/equipment/transports';
import { z } from 'zod';
import type { Device } from '../contract/device.ts';
import {
  CannotCycle,
  type DriverDeps,
  driverKind,
  type OutletDriver,
} from '../contract/outlets.ts';
import { ipmi } from './facts.ts';

export const outlets = driverKind({ model: 'ipmi', automaticRepair: true, create });

/** More than ipmitool's own timeout: 10 s with these retries. */
const timeoutMs = 20_000;
const hint = 'install it (Debian: ipmitool)';
/** Seconds between retries, and number of attempts. Commands that must not be repeated are sent once. */
const patiently = ['-N', '2', '-R', '2'] as const;
const once = ['-N', '5', '-R', '1'] as const;

/** ipmitool's output if the controller has accepted the command. */
const commands = {
  on: 'Chassis Power Control: Up/On',
  off: 'Chassis Power Control: Down/Off',
  cycle: 'Chassis Power Control: Cycle',
} as const;

function create(device: Device, deps: DriverDeps): OutletDriver<string> {
  const { name, ports } = device;
  const { cipherSuite } = z.object(ipmi.options).parse(device.options);

  async function run(words: readonly string[], signal: AbortSignal): Promise<string> {
    return await withAnyOf(await deps.credentials(), async ({ username, password, kg }) => {
      const address = addressOf(device);
      if (username === undefined || password === undefined) {
        throw new SignInRejected(name, 'IPMI requires a login with `username` and `password`');
      }
      const where = ['-H', address, '-p', String(ports.ipmi ?? 623), '-U', username, '-E'];
      const tries = words.includes('cycle') ? once : patiently;
      const how = ['-I', 'lanplus', '-C', String(cipherSuite), '-L', 'OPERATOR', ...tries, '-v'];
      const key = kg && kgText(name, kg);
      if (key !== undefined) how.push('-K');
      const command = ['ipmitool', ...how, ...where, ...words];
      const env = { IPMI_PASSWORD: password.reveal(), ...(key && { IPMI_KGKEY: key }) };
      const { onTranscript, dry } = deps;
      const program = { command, env, timeoutMs, hint, onTranscript, dry };
      const ran = await runProgram(name, program, signal);
      if (ran.status === 0) return ran.stdout;
      const said = `${ran.stderr}\n${ran.stdout}`.replaceAll(password.reveal(), '<secret>');
      throw errorOf(name, key === undefined ? said : said.replaceAll(key, '<secret>'));
    });
  }

  async function tell(verb: keyof typeof commands, signal: AbortSignal): Promise<void> {
    const output = await run(['chassis', 'power', verb], signal);
    if (!output.split('\n').includes(commands[verb])) {
      throw new DeviceRejected(name, `ipmitool did not confirm "power ${verb}"`);
    }
  }

  return {
    key: (outlet) => outlet,
    async read(_chassis, signal) {
      const output = await run(['chassis', 'power', 'status'], signal);
      const [, word] = /^Chassis Power is (on|off)$/m.exec(output) ?? [];
      if (word !== undefined) return () => ({ state: word === 'on' ? 'on' : 'off' });
      throw new DeviceRejected(name, 'ipmitool did not report whether the power is on');
    },
    async report(_chassis, signal) {
      const chassis = await run(['chassis', 'status'], signal);
      const controller = await run(['mc', 'info'], signal);
      const isOff = /^Power Restore Policy *: always-off$/m.test(chassis);
      return {
        hardware: /^Product Name *: (.+)$/m.exec(controller)?.[1],
        firmware: /^Firmware Revision *: (\S+)/m.exec(controller)?.[1],
        of: () => ({ staysOff: isOff ? 'the power restore policy is always-off' : undefined }),
      };
    },
    set: (_chassis, state, signal) => tell(state, signal),
    cycle: { offSeconds: 'fixed', run: (_chassis, _, signal) => tell('cycle', signal) },
  };
}

const kgBytes = 20;

/** As ipmitool takes it from its environment; undefined: only zeros, which is no key. @throws SignInRejected It cannot be passed so. */
function kgText(device: string, kg: Secret): string | undefined {
  const written = kg.reveal();
  const [, hex] = /^0x((?:[\da-f]{2})+)$/i.exec(written) ?? [];
  const text = hex === undefined ? written : Buffer.from(hex, 'hex').toString('latin1');
  const own = text.replace(/\0+$/, '');
  const isAscii = Buffer.from(own).every((byte) => byte > 0 && byte < 0x80);
  if (isAscii && own.length <= kgBytes) return own === '' ? undefined : own;
  const what = `\`kg\` in its login is not a key of at most ${kgBytes} ASCII characters, which is all that ipmitool accepts without showing it to every user`;
  throw new SignInRejected(device, `${what}; set such a key on the controller`);
}

/** ipmitool has one exit status for all errors, and distinct texts for some. The first match counts. */
const errors: readonly [
  said: RegExp,
  kind: new (device: string, what: string) => DeviceError,
  what: string,
][] = [
  [/not supported in present state/i, CannotCycle, 'rejects this in the current power state'],
  [/insufficient resources/i, DeviceBusy, 'all sessions of the controller are in use'],
  [
    /invalid \w+ algorithm|no cipher suite match/i,
    DeviceRejected,
    'the controller does not support this cipher suite; set `cipherSuite: 3` in rack.yaml, or 17 if it is already 3',
  ],
  [
    /RAKP 4 message has invalid integrity/i,
    SignInRejected,
    "accepts the password, but its key (Kg) differs: set `kg` in the login to the controller's key, or correct it",
  ],
  // Of a login, or of its rights. A message that is missing, and a busy controller, are none.
  [
    /RAKP \d (?:HMAC|message (?:has|indicates))|privilege level[^\n]* failed: (?!Timeout|Node busy)|insufficient privilege|unauthorized|invalid role|password is longer/i,
    SignInRejected,
    'rejects the login, or does not let it run power commands',
  ],
  [
    /Get Auth Capabilities error|no response|Unable to establish|Set Session Privilege/i,
    DeviceUnreachable,
    'the controller did not respond over IPMI',
  ],
];

function errorOf(device: string, output: string): DeviceError {
  const [, kind, what] = errors.find(([said]) => said.test(output)) ?? [];
  if (kind !== undefined && what !== undefined) return new kind(device, what);
  const last = output.trim().split('\n').at(-1) ?? '';
  return new DeviceRejected(device, `ipmitool: ${last.slice(0, 200)}`);
}
