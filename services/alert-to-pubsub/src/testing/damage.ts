/** Damages files of a state directory, and reads their content. */
import { open, readdir, readFile, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { SpooledMessage } from '@skolo/alerts';

/** The segments of a spool, oldest first. */
export async function segmentsIn(stateDir: string): Promise<string[]> {
  const folder = join(stateDir, 'spool');
  const names = (await readdir(folder)).filter((name) => name.endsWith('.spool')).sort();
  return names.map((name) => join(folder, name));
}

/** Messages of an undamaged spool by their ID, in order. */
export async function spooledIn(stateDir: string): Promise<Map<string, SpooledMessage>> {
  const messages = new Map<string, SpooledMessage>();
  for (const file of await segmentsIn(stateDir)) {
    for (const line of (await readFile(file, 'utf8')).split('\n')) {
      const text = /^[0-9a-f]{8} [0-9]+ (?<text>.*)$/.exec(line)?.groups?.text;
      if (text === undefined) continue;
      const message = SpooledMessage.parse(JSON.parse(text));
      messages.set(message.id, message);
    }
  }
  return messages;
}

async function flipByte(file: string, place: number): Promise<void> {
  const handle = await open(file, 'r+');
  try {
    const byte = Buffer.alloc(1);
    await handle.read(byte, 0, 1, place);
    byte[0] = (byte[0] ?? 0) ^ 0x55;
    await handle.write(byte, 0, 1, place);
  } finally {
    await handle.close();
  }
}

/** Flips a byte of it, or truncates it, at a random position. */
export async function damageSomewhere(
  file: string,
  random: () => number,
): Promise<{ how: 'flipped' | 'cut'; place: number }> {
  const { length } = await readFile(file);
  const place = Math.floor(random() * length);
  const how = random() < 0.6 ? 'flipped' : 'cut';
  await (how === 'flipped' ? flipByte(file, place) : truncate(file, place));
  return { how, place };
}
