/** PoE ports at Fastpath's command line, as on EdgeSwitches and older UniFi switches. See edgeswitch.ts. */
import { DeviceRejected } from '@skolo/equipment/transports';
import {
  type OutletReading,
  type OutletState,
  oneByOne,
  orCannotCycle,
} from '../../contract/outlets.ts';
import { type Ask, askOnce, type Cli, shortened } from '../command-line/session.ts';
import { findRow, numberIn, rowOf } from '../command-line/table.ts';
import { ifSupported } from '../unneeded.ts';

/** Modes in which a port is on. */
export const fastpathModes: ReadonlySet<string> = new Set(['auto', 'passive24v']);

/** From this many ports on, one table for all is faster than one for each. */
const manyPorts = 3;

/** @param ports as the switch writes them */
export async function readFastpath(
  cli: Cli,
  ports: readonly string[],
  signal: AbortSignal,
): Promise<(port: string) => OutletReading> {
  const ask = askOnce(cli, ports.length >= manyPorts ? 'all' : undefined);
  const read = oneByOne(async (port: string) => {
    const mode = await modeOf(cli, port, ask);
    const status = await ifSupported(ask('show poe status', port));
    return readingOf(mode, findRow(status ?? '', port));
  });
  return read(ports, signal);
}

/** The setting: `auto`, `passive24v`, `shutdown`. */
async function modeOf(cli: Cli, port: string, ask: Ask): Promise<string> {
  const { device } = cli;
  const command = 'show poe port';
  const table = await ifSupported(ask(command, port));
  // Older firmware has no such table.
  if (table === undefined)
    return configuredMode(device, port, await cli.run(`show running-config interface ${port}`));
  const mode = rowOf(device, table, port, command)[1]?.toLowerCase() ?? '';
  if (mode === 'shutdown' || fastpathModes.has(mode)) return mode;
  throw new DeviceRejected(
    device,
    `port ${port} is set to ${JSON.stringify(mode)}, which is not supported`,
  );
}

/** The configuration only contains differences from the factory settings. */
function configuredMode(device: string, port: string, configuration: string): string {
  const lines = configuration.split('\n').map((line) => line.trim().replaceAll(/\s+/g, ' '));
  if (!lines.includes(`interface ${port}`)) {
    throw new DeviceRejected(device, `the configuration does not contain interface ${port}`);
  }
  const setting = lines.map((line) => /^poe opmode (\w+)$/.exec(line)?.[1]).find(Boolean);
  return setting?.toLowerCase() ?? 'auto';
}

/** @param row of `show poe status`, which may lack parts */
function readingOf(mode: string, [, ...row]: readonly string[] = []): OutletReading {
  // Detection is one word or two, and followed by the class, consumed watts, volts, milliamperes and more.
  const at = row.findIndex((word) => /^(?:class\s*\d|unknown|\d)/i.test(word));
  const detection = row.slice(0, at < 0 ? undefined : at).join(' ');
  const watts = numberIn(row.slice(at).find((word) => /^\d+\.\d+$/.test(word)));
  const delivering = row.length === 0 ? undefined : /^good$/i.test(detection) || (watts ?? 0) > 0;
  if (mode === 'shutdown' || /^disabled$/i.test(detection)) {
    return { state: 'off', delivering, watts };
  }
  const isFault = /fault|short|overload/i.test(detection);
  return { state: 'on', delivering, fault: isFault ? detection : undefined, watts, mode };
}

/**
 * Leaves the modes that it entered, whatever the switch answers. The switch prints nothing when it enters an interface; after any other
 * answer it may not have, and one mode higher the same command applies to all ports.
 *
 * @throws DeviceError
 */
export async function atInterface(cli: Cli, port: string, command: string): Promise<void> {
  let depth = 0;
  try {
    await cli.run('configure');
    depth += 1;
    const answer = shortened(await cli.run(`interface ${port}`));
    if (answer !== '') {
      // The state of this session is now unknown.
      await cli.close();
      throw new DeviceRejected(cli.device, `did not enter interface ${port}: ${answer}`);
    }
    depth += 1;
    await cli.run(command);
  } finally {
    await leave(cli, depth);
  }
}

export async function setFastpath(
  cli: Cli,
  port: string,
  state: OutletState,
  mode = 'auto',
): Promise<void> {
  await atInterface(cli, port, `poe opmode ${state === 'on' ? mode : 'shutdown'}`);
}

/**
 * Makes the switch cycle a port by itself.
 *
 * @throws CannotCycle Its firmware does not know the command, or does not enter the port.
 */
export async function resetPort(cli: Cli, port: string, seconds: number): Promise<void> {
  await orCannotCycle(atInterface(cli, port, `poe reset ${seconds}`));
}

/** The session is shared, so it must return to the expected mode. A failure here does not undo the change. */
async function leave(cli: Cli, depth: number): Promise<void> {
  try {
    for (let level = 0; level < depth; level += 1) await cli.run('exit');
  } catch {
    await cli.close();
  }
}
