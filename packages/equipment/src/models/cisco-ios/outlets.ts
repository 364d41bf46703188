/**
 * Cisco IOS and IOS-XE switches: PoE ports, over ssh or telnet.
 *
 *     switch-2: { model: cisco-ios, address: 192.168.1.12, login: cisco }
 *     logins: { cisco: { username: skolo, password: { file: secrets/cisco }, enablePassword: { file: secrets/enable } } }
 *
 * Verified with: our simulator, which netmiko (2.4.2, `cisco_ios`) drives over ssh and telnet, with these commands: never, auto, static
 * max, each read back. Sign-in, `enable`, pager, width, modes and prompts match netmiko's; it only passes on the PoE commands and tables,
 * which are from the sources below.
 *
 * The setting is the Admin column of `show power inline`, and the interface's `power inline` line, which is restored: `static max 15400`
 * must not become `auto`. The Power column is the power allotted by class, not the actual one, so no watts are reported. Not all models
 * have a built-in cycle. Nothing is saved.
 *
 * Sources: Cisco's command references, Catalyst 3560 and 3650, "power inline", "show power inline".
 */
import { DeviceRejected } from '@skolo/equipment/transports';
import type { Device } from '../contract/device.ts';
import {
  type DriverDeps,
  driverKind,
  type OutletDriver,
  type OutletReading,
  oneByOne,
} from '../contract/outlets.ts';
import { type Ask, askOnce, type Cli, cliOf } from '../families/command-line/session.ts';
import { rowOf } from '../families/command-line/table.ts';
import { ifSupported } from '../families/unneeded.ts';
import { ciscoIos as dialect } from './dialect.ts';

export const outlets = driverKind({ model: 'cisco-ios', automaticRepair: true, create });

/** What may follow `power inline` if the port is on. */
const onMode = /^(?:auto|static)(?: max \d{1,6})?$/;
/** Values of the Oper column: the port is faulty, its power is denied by the budget, or it was disabled because of an error. */
const faults: ReadonlySet<string> = new Set([
  'faulty',
  'power-deny',
  'err-disable',
  'err-disabled',
]);
/** From this many ports on, reading the complete table and configuration is faster than reading each port. */
const manyPorts = 4;

function create(device: Device, deps: DriverDeps): OutletDriver<string> {
  const { name } = device;
  const use = cliOf(device, deps, dialect);

  return {
    key: (outlet) => outlet,
    isMode: (mode) => onMode.test(mode),
    read: (ports, signal) =>
      use((cli) => {
        const ask = askOnce(cli, ports.length >= manyPorts ? '' : undefined);
        return oneByOne((port: string) => readingOf(name, port, ask))(ports, signal);
      }, signal),
    async set(port, state, signal, mode = 'auto') {
      const command = `power inline ${state === 'on' ? mode : 'never'}`;
      await use((cli) => configure(cli, port, command), signal);
    },
  };
}

async function readingOf(device: string, port: string, ask: Ask): Promise<OutletReading> {
  const command = 'show power inline';
  const [, admin = '', oper = ''] = rowOf(device, await ask(command, port), port, command);
  const delivering = oper === 'on';
  if (admin === 'off') return { state: 'off', delivering };
  if (admin !== 'auto' && admin !== 'static') {
    const what = `the Admin state of ${port} is ${JSON.stringify(admin)}, which is not supported`;
    throw new DeviceRejected(device, what);
  }
  const fault = faults.has(oper) ? oper : undefined;
  return { state: 'on', delivering, fault, mode: (await configuredMode(port, ask)) ?? admin };
}

/** Undefined if nothing is configured, or the login may not see the configuration. */
async function configuredMode(port: string, ask: Ask): Promise<string | undefined> {
  const configuration = (await ifSupported(ask('show running-config', `interface ${port}`))) ?? '';
  let isHere = false;
  for (const line of configuration.split('\n')) {
    if (/^\S/.test(line)) isHere = isInterface(line, port);
    const setting = isHere ? /^ +power inline (.+)$/.exec(line)?.[1]?.trimEnd() : undefined;
    if (setting !== undefined && onMode.test(setting)) return setting;
  }
  return undefined;
}

/** `interface GigabitEthernet1/0/3` is `Gi1/0/3`. */
function isInterface(line: string, port: string): boolean {
  const [, kind = '', place] = /^interface ([A-Za-z]+) ?(\d\S*)\s*$/.exec(line) ?? [];
  const [, short = '', wanted] = /^([A-Za-z]+)(\d\S*)$/.exec(port) ?? [];
  return place !== undefined && place === wanted && kind.startsWith(short);
}

/** The session is shared, so it must not stay in a configuration mode, whatever the switch answers. */
async function configure(cli: Cli, port: string, command: string): Promise<void> {
  await cli.run('configure terminal');
  try {
    await cli.run(`interface ${port}`);
    await cli.run(command);
  } finally {
    await cli.run('end').catch(() => cli.close());
  }
}
