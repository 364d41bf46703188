/** A router's configuration mode, with a version in a file on the router. */
import { randomBytes } from 'node:crypto';
import { type DeviceCli, type DeviceConnection, DeviceRejected } from '@skolo/equipment/transports';
import { withoutSecrets as masked } from '../../configuration/mask.ts';
import { vyatta } from './dialect.ts';
import { vyattaSecrets } from './secrets.ts';

/** The answer to a command, even if it is an error. */
export interface Said {
  text: string;
  isRejection: boolean;
}

/** Whether the session is new or already in that mode. */
export async function configure(connection: DeviceConnection): Promise<DeviceCli> {
  const cli = await connection.cli(vyatta);
  const { text, isRejection } = await ask(cli, 'configure');
  if (isRejection && !/\[configure\]/.test(text)) {
    throw new DeviceRejected(connection.device.name, `did not enter configuration mode: ${text}`);
  }
  return cli;
}

export async function ask(cli: DeviceCli, command: string): Promise<Said> {
  try {
    return { text: textOf(await cli.run(command)), isRejection: false };
  } catch (error) {
    if (error instanceof DeviceRejected) return { text: error.message, isRejection: true };
    throw error;
  }
}

/** Without either, it is already active. `load` continues after a statement that it does not understand, so its messages count. */
export async function load(
  cli: DeviceCli,
  path: string,
): Promise<{ rejection?: string; compared?: string }> {
  const { text, isRejection } = await ask(cli, `load ${path}`);
  const wrong = text.split('\n').find((line) => /failed|not valid|error|unable/i.test(line));
  if (isRejection || wrong !== undefined) return { rejection: (wrong ?? text).trim() };
  if (/^Load complete/m.test(text)) return { compared: textOf(await cli.read('compare')) };
  return /^No configuration changes/m.test(text) ? {} : { rejection: text.trim() };
}

/** @throws DeviceRejected */
export async function save(connection: DeviceConnection, cli: DeviceCli): Promise<void> {
  const { text, isRejection } = await ask(cli, 'save');
  if (!isRejection && /^Done$/m.test(text)) return;
  throw new DeviceRejected(
    connection.device.name,
    `did not save the configuration: ${text.trim().slice(-200)}`,
  );
}

/** The file is removed afterwards, unless the router is unreachable. */
export async function withFile<T>(
  connection: DeviceConnection,
  content: Buffer,
  work: (path: string) => Promise<T>,
): Promise<T> {
  const path = `/tmp/skolo-${randomBytes(8).toString('hex')}.boot`;
  try {
    await connection.upload(path, content);
    return await work(path);
  } finally {
    await connection.exec(`rm -f ${path}`).catch(() => undefined);
  }
}

/** Lines of an answer, or of `compare`. */
export function withoutSecrets(text: string): string {
  const apart = text.replace(/^[+>-]\s*/gm, (mark) => `${mark} `);
  return masked(apart, vyattaSecrets);
}

function textOf(answer: Buffer): string {
  const lines = answer.toString().split('\n');
  return lines
    .filter((line) => line.trim() !== '')
    .map((line) => `${line}\n`)
    .join('');
}
