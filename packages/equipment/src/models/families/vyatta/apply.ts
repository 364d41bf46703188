/**
 * Restores a version with `load` in configuration mode, which replaces everything. The result is only committed for a few minutes: unless
 * it is confirmed from a new session, the router restarts with the saved configuration.
 */

import { count, pause } from '@skolo/base';
import {
  DeviceBusy,
  type DeviceCli,
  type DeviceConnection,
  DeviceError,
  DeviceRejected,
} from '@skolo/equipment/transports';
import {
  isSameSettings,
  type Setting,
  settingsIn,
  splitVersions,
  whyCut,
} from './configuration.ts';
import { readBoot, readRunning } from './read.ts';
import { ask, configure, load, type Said, save, withFile, withoutSecrets } from './session.ts';

const minutes = 5;
/** A commit may end its own session, and continue. */
const looks = 3;
const betweenLooksMs = 2000;

/** Loads it, compares, and leaves everything unchanged. */
export async function check(
  connection: DeviceConnection,
  content: Buffer,
): Promise<{ accepted: boolean; said: string }> {
  settingsOfVersion(connection, content);
  return await withFile(connection, content, async (path) => {
    const cli = await configure(connection);
    const { rejection, compared = 'the version is already active\n' } = await load(cli, path);
    await ask(cli, 'discard');
    await ask(cli, 'exit');
    return { accepted: rejection === undefined, said: withoutSecrets(rejection ?? compared) };
  });
}

/** @throws DeviceError; unless its message says otherwise, the previous configuration is active again, or will be by itself */
export async function apply(
  connection: DeviceConnection,
  content: Buffer,
  step: (text: string) => void,
): Promise<void> {
  const wanted = settingsOfVersion(connection, content);
  await withFile(connection, content, async (path) => {
    const previous = await readRunning(connection);
    const isSaved = isSameSettings(previous, await readSaved(connection));
    const cli = await configure(connection);
    if (!isSaved) {
      await save(connection, cli);
      step('saved the active configuration for a rollback');
    }
    const { rejection, compared } = await load(cli, path);
    if (rejection !== undefined) {
      await ask(cli, 'discard');
      throw rejected(connection, `rejects the version: ${withoutSecrets(rejection)}`);
    }
    if (compared === undefined) {
      step('the version is already active');
    } else {
      step(`loaded: ${sizeOf(compared)}`);
      const said = await commit(connection, cli);
      await confirm(connection, { wanted, previous, said }, step);
    }
    await finish(connection, wanted, step);
  });
}

/** For a few minutes. Undefined: the result is unknown, because the session was lost. */
async function commit(connection: DeviceConnection, cli: DeviceCli): Promise<Said | undefined> {
  try {
    const said = await ask(cli, `commit-confirm ${minutes}`);
    if (/another confirm is pending/i.test(said.text)) {
      await ask(cli, 'discard');
      const what = 'another commit is waiting for confirmation, so nothing was changed';
      throw new DeviceBusy(connection.device.name, what);
    }
    return said;
  } catch (error) {
    if (isLost(error)) return undefined;
    throw error;
  }
}

interface Committed {
  wanted: readonly Setting[];
  previous: readonly Setting[] | string;
  said: Said | undefined;
}

/** From a new session: the old one may still work even if new connections no longer do. */
async function confirm(
  connection: DeviceConnection,
  committed: Committed,
  step: (text: string) => void,
): Promise<void> {
  const { wanted, previous, said } = committed;
  try {
    step(
      `committed; unless the version is confirmed within ${minutes} minutes, the router restarts with its previous configuration`,
    );
    const running = await runningAfter(connection, committed);
    if (isSameSettings(running, wanted)) {
      step('reachable in a new session; the version is active');
      await twice(() => sayConfirm(connection, wanted));
      step('confirmed');
      return;
    }
    // The commit may still be running, and must be able to roll back.
    if (said === undefined)
      throw rejected(connection, 'the session was lost, and the version is not active');
    const words = `: ${withoutSecrets(said.text).trim().slice(0, 300)}`;
    if (!isSameSettings(running, previous))
      throw rejected(connection, `accepted only part of the version${words}`);
    // Otherwise the router would restart needlessly. If there is nothing to confirm, it only says so.
    const cli = await configure(connection);
    await ask(cli, 'confirm');
    await ask(cli, 'exit discard');
    throw new NothingChanged(connection.device.name, `did not commit the version${words}`);
  } catch (error) {
    if (!(error instanceof DeviceError) || error instanceof NothingChanged) throw error;
    const back = `the router will restart with its previous configuration within ${minutes} minutes`;
    throw rejected(connection, `the version was not confirmed: ${error.message}; ${back}`, error);
  }
}

async function sayConfirm(connection: DeviceConnection, wanted: readonly Setting[]): Promise<void> {
  const { text, isRejection } = await ask(await configure(connection), 'confirm');
  // It was already confirmed, and only the answer was lost; unless it has restarted in the meantime.
  const isDone =
    /no confirm pending/i.test(text) && isSameSettings(await readRunning(connection), wanted);
  if (isRejection && !isDone) throw rejected(connection, `rejects the confirmation: ${text}`);
}

/** Retried in a new session if the first one was lost. */
async function twice(work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!isLost(error)) throw error;
    await work();
  }
}

function isLost(error: unknown): boolean {
  return error instanceof DeviceError && error.retry && !(error instanceof DeviceBusy);
}

class NothingChanged extends DeviceRejected {}

async function runningAfter(
  connection: DeviceConnection,
  { wanted, said }: Committed,
): Promise<Setting[] | string> {
  for (let look = 1; ; look += 1) {
    // Not through the command line, so that it uses a new session.
    const running = await readRunning(connection);
    if (said !== undefined || look === looks || isSameSettings(running, wanted)) return running;
    await pause(betweenLooksMs);
  }
}

async function finish(
  connection: DeviceConnection,
  wanted: readonly Setting[],
  step: (text: string) => void,
): Promise<void> {
  try {
    await twice(async () => {
      const cli = await configure(connection);
      await save(connection, cli);
      await ask(cli, 'exit');
    });
    if (!isSameSettings(await readSaved(connection), wanted)) {
      throw rejected(connection, 'saved a different configuration');
    }
    step('saved, and read back');
  } catch (error) {
    if (!(error instanceof DeviceError)) throw error;
    const what = 'the version is active, but may not have been saved as the startup configuration';
    throw rejected(connection, `${what}: ${error.message}`, error);
  }
}

async function readSaved(connection: DeviceConnection): Promise<Setting[] | string> {
  return settingsIn(splitVersions(await readBoot(connection)).body);
}

function settingsOfVersion({ device }: DeviceConnection, content: Buffer): Setting[] {
  const text = content.toString('latin1');
  const settings = settingsIn(splitVersions(text).body);
  const why = whyCut(text);
  if (why === undefined && typeof settings !== 'string') return settings;
  throw new DeviceRejected(
    device.name,
    `this version cannot be loaded: ${why}; restore it manually with the steps that skolo backup restore prints`,
  );
}

function sizeOf(compared: string): string {
  const linesWith = (sign: string) =>
    compared.split('\n').filter((line) => line.startsWith(sign)).length;
  return `${count(linesWith('+'), 'line')} more, ${count(linesWith('-'), 'line')} less`;
}

function rejected({ device }: DeviceConnection, what: string, cause?: DeviceError): DeviceRejected {
  return new DeviceRejected(device.name, what, cause && { cause });
}
