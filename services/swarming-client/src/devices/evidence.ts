/** Collects evidence of a phone's problem: what adb lists, its screen, its last log. */
import { open, stat, truncate, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Adb, addressOf } from './adb.ts';
import type { AdbDevice } from './parse/android.ts';

/**
 * Writes a file. Returns its name, unless it is empty or could not be written.
 *
 * @throws The signal's reason.
 */
export async function writeIfPossible(
  folder: string,
  name: string,
  signal: AbortSignal,
  write: (path: string) => Promise<unknown>,
): Promise<string[]> {
  const path = join(folder, name);
  try {
    await write(path);
  } catch {
    // Partial output is still worth reading.
    signal.throwIfAborted();
  }
  const size = await stat(path).then(
    (file) => file.size,
    () => undefined,
  );
  if (size) return [name];
  if (size === 0) await unlink(path);
  return [];
}

/** The name of a screenshot in the evidence. */
export const screenFile = 'screen.png';

/** Largest screenshot, in bytes. */
const mostScreen = 16 * 1024 * 1024;
const mostLog = 4 * 1024 * 1024;
const logLines = '5000';
const png = Buffer.from([0x89, 0x50, 0x4e, 0x47]);

export async function androidEvidence(
  adb: Adb,
  folder: string,
  find: (signal: AbortSignal) => Promise<AdbDevice>,
  signal: AbortSignal,
): Promise<string[]> {
  const keep = (name: string, write: (path: string) => Promise<unknown>) =>
    writeIfPossible(folder, name, signal, write);
  const seen = await keep('adb-devices.txt', async (path) => {
    const { stdout, stderr } = await adb.try(['devices', '-l'], signal);
    await writeFile(path, stdout + stderr);
  });
  const phone = await find(signal).catch(() => undefined);
  signal.throwIfAborted();
  if (phone === undefined) return seen;
  const to = addressOf(phone);
  const log = await keep('logcat.txt', (stdoutFile) =>
    adb.do([...to, 'logcat', '-d', '-v', 'threadtime', '-t', logLines], signal, {
      stdoutFile,
      mostBytes: mostLog,
    }),
  );
  const screen = await keep(screenFile, async (path) => {
    try {
      await androidScreen(adb, phone, path, signal);
    } finally {
      if (!(await isPng(path))) await truncate(path, 0);
    }
  });
  return [...seen, ...log, ...screen];
}

/** `exec-out` sends raw bytes, whereas `shell` of an old Android adds returns. @throws CommandFailed */
export async function androidScreen(
  adb: Adb,
  phone: AdbDevice,
  stdoutFile: string,
  signal: AbortSignal,
): Promise<void> {
  const args = [...addressOf(phone), 'exec-out', 'screencap', '-p'];
  await adb.do(args, signal, { stdoutFile, mostBytes: mostScreen });
}

export async function isPng(path: string): Promise<boolean> {
  await using file = await open(path);
  const { buffer } = await file.read(Buffer.alloc(png.length), 0, png.length, 0);
  return buffer.equals(png);
}
