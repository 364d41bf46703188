/**
 * `swctrl`, the program in the shell of UniFi switches that sets and shows PoE ports.
 *
 * Without `id` it means every port, also when what follows is mistyped. So a command is made from a checked number, and
 * what all other ports are set to is compared before and after it.
 *
 * Only `auto` and `off` are known to be accepted. A port in another mode (`Pasv24`, `Passthrough`) is not turned off, since it
 * could not be turned on as it was; it can be restarted.
 *
 * Sources: sessions recorded by users (US-24, USW-Lite-16, USW-Flex); devwithimagination.com, 2022-08-07, on `id`.
 */
import { DeviceRefused, type ExecResult } from '@skolo/equipment';
import { CannotCycle, type OutletReading, orCannotCycle } from '../contract/outlets.ts';
import { outputOf, type Shell, shortened } from '../families/command-line/session.ts';
import { numberOf } from '../families/command-line/table.ts';

export const listSwctrl = 'swctrl poe show';

/** A row of its table. */
interface Port {
  /** `auto`, `off`, `pasv24`, `passthrough`. */
  setting: string;
  delivering: boolean;
  watts: number;
}

/** Whether the switch has no such program. */
export function isMissing({ status, stderr }: ExecResult): boolean {
  return status === 127 || /: (?:command )?not found/.test(stderr);
}

export async function readSwctrl(shell: Shell): Promise<(number: number) => OutletReading> {
  const ports = await list(shell);
  return (number) => {
    const { setting, delivering, watts } = portOf(shell.device, ports, number);
    const isOn = setting !== 'off';
    return { state: isOn ? 'on' : 'off', delivering, watts, mode: isOn ? setting : undefined };
  };
}

export async function setSwctrl(
  shell: Shell,
  number: number,
  setting: 'auto' | 'off',
): Promise<void> {
  const { device } = shell;
  const before = await list(shell);
  const { setting: former } = portOf(device, before, number);
  if (former !== 'auto' && former !== 'off') {
    const hint = 'it could not be turned on like that again; restart it instead';
    throw new DeviceRefused(device, `port ${number} is set to ${former}; ${hint}`);
  }
  await tell(shell, `swctrl poe set ${setting} id ${number}`);
  checkOthers(device, number, before, await list(shell));
}

/** @throws CannotCycle Nothing was done. Any other DeviceError: it may have been. */
export async function restartSwctrl(shell: Shell, number: number): Promise<void> {
  const { device } = shell;
  const before = await orCannotCycle(list(shell));
  if (!before.has(number)) throw new CannotCycle(device, `its list of ports has no port ${number}`);
  await orCannotCycle(tell(shell, `swctrl poe restart id ${number}`));
  checkOthers(device, number, before, await list(shell));
}

async function tell(shell: Shell, command: string): Promise<void> {
  const { status, stdout, stderr } = await shell.exec(command);
  const output = shortened(`${stdout} ${stderr}`);
  if (status === 0 && output === '') return;
  const why = output || `status ${status}`;
  throw new DeviceRefused(shell.device, `refuses ${JSON.stringify(command)}: ${why}`);
}

function checkOthers(
  device: string,
  number: number,
  before: ReadonlyMap<number, Port>,
  after: ReadonlyMap<number, Port>,
): void {
  const changed = [...before.keys()].filter(
    (other) => other !== number && before.get(other)?.setting !== after.get(other)?.setting,
  );
  if (changed.length === 0) return;
  const what = `when port ${number} was told to change, so did ${changed.join(', ')}; look at them`;
  throw new DeviceRefused(device, what);
}

async function list(shell: Shell): Promise<Map<number, Port>> {
  const stdout = await outputOf(shell, listSwctrl);
  const rows = stdout.split('\n').map((line) => line.trim().split(/\s+/));
  return new Map(
    rows
      .filter(([first]) => /^\d+$/.test(first ?? ''))
      .map((row) => [Number(row[0]), portIn(shell.device, row)]),
  );
}

/** Class is one word or two, so what is behind it is counted from the right. */
function portIn(device: string, row: readonly string[]): Port {
  const [power, , watts] = row.slice(-5);
  const setting = row[1]?.toLowerCase() ?? '';
  if (!/^[a-z][a-z0-9]*$/.test(setting) || (power !== 'On' && power !== 'Off')) {
    throw new DeviceRefused(device, `its list of ports makes no sense at port ${row[0]}`);
  }
  const what = `the power of port ${row[0]}`;
  return { setting, delivering: power === 'On', watts: numberOf(device, watts, what) };
}

function portOf(device: string, ports: ReadonlyMap<number, Port>, number: number): Port {
  const port = ports.get(number);
  if (port !== undefined) return port;
  throw new DeviceRefused(device, `its list of ports has no port ${number}`);
}
