/** Reading commands for EdgeOS and VyOS. Each runs separately, so its exit status shows that it completed. */
import type { DeviceConnection } from '@skolo/equipment/transports';
import { type Setting, settingsIn } from './configuration.ts';

const bootFile = '/config/config.boot';
/**
 * The same command that `save` uses, so that the output includes secrets and matches the saved file: `show configuration` hides secrets,
 * and omits default values.
 */
const showRunning = '/bin/cli-shell-api showConfig --show-active-only --show-ignore-edit';
const withDefaults = '--show-show-defaults';
const operational = '/opt/vyatta/bin/vyatta-op-cmd-wrapper';

/** One character for each byte. */
export async function readBoot(connection: DeviceConnection): Promise<string> {
  return (await connection.exec(`cat ${bootFile}`)).toString('latin1');
}

export async function readRunningText(connection: DeviceConnection): Promise<string> {
  return (await connection.exec(`${showRunning} ${withDefaults}`)).toString('latin1');
}

/** In the form of commands: without default values. */
export async function readPlainText(connection: DeviceConnection): Promise<string> {
  return (await connection.exec(showRunning)).toString('latin1');
}

/** The active configuration, or why it is unknown. */
export async function readRunning(connection: DeviceConnection): Promise<Setting[] | string> {
  return settingsIn(await readRunningText(connection));
}

export async function readCommands(connection: DeviceConnection): Promise<Buffer> {
  return await connection.exec(`${operational} show configuration commands`);
}

const noSerial =
  /^(?:unknown|none|n\/a|0+|not specified|default string|system serial number|to be filled.*)$/i;

export async function readSerial(connection: DeviceConnection): Promise<string | undefined> {
  const said = (
    await connection.exec(`${operational} show version 2>/dev/null || true`)
  ).toString();
  const serial = /^(?:HW|Hardware) S\/N:[ \t]*(\S.*)$/m.exec(said)?.[1]?.trim();
  return serial === undefined || noSerial.test(serial) ? undefined : serial;
}

/** `ubnt via cli, 2026-11-20 13:45:42`. Known if revisions are kept. */
export async function readChangedBy(connection: DeviceConnection): Promise<string | undefined> {
  const said = await connection.exec(`${operational} show system commit 2>/dev/null || true`);
  const [, time, who] = /^0\s+(\S+ \S+) by (\S.*)$/m.exec(said.toString()) ?? [];
  return who && `${who.trim()}, ${time}`;
}
