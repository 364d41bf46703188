/** What EdgeOS and VyOS are asked. Each is a command of its own, whose exit status shows that it came to its end. */
import type { DeviceConnection } from '@skolo/equipment';
import { type Setting, settingsIn } from './configuration.ts';

const bootFile = '/config/config.boot';
/**
 * As `save` asks, so that secrets are in it, and what it saves is the same: `show configuration` hides them, and shows no
 * default values.
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

/** As the commands have it: without default values. */
export async function readPlainText(connection: DeviceConnection): Promise<string> {
  return (await connection.exec(showRunning)).toString('latin1');
}

/** What is in force, or why there is no telling. */
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

/** `ubnt via cli, 2026-11-20 13:45:42`. It is known where revisions are kept. */
export async function readChangedBy(connection: DeviceConnection): Promise<string | undefined> {
  const said = await connection.exec(`${operational} show system commit 2>/dev/null || true`);
  const [, time, who] = /^0\s+(\S+ \S+) by (\S.*)$/m.exec(said.toString()) ?? [];
  return who && `${who.trim()}, ${time}`;
}
