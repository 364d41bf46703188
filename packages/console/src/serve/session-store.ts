/** Stores what sessions require after a restart: the key of their cookies, and which of them were signed out. */
import { randomBytes } from 'node:crypto';
import { dirname } from 'node:path';
import { errorText, parseJson } from '@skolo/base';
import { makeFolder, readFileIfExists, writeFileAtomic } from '@skolo/base/durable';
import { z } from 'zod';

const Stored = z.object({
  key: z.base64().refine((text) => Buffer.from(text, 'base64').length === keyBytes),
  /** Sessions that ended before their time: when they expire, in milliseconds since 1970. */
  ended: z.record(z.string(), z.number()),
});

export interface SessionStore {
  /** For AES-256-GCM. */
  key: Buffer;
  ended: Map<string, number>;
  /** Resolves even if the disk is full; the next call tries again. */
  save(): Promise<void>;
}

const keyBytes = 32;

/** Until the process ends. */
export function sessionsInMemory(): SessionStore {
  return { key: randomBytes(keyBytes), ended: new Map(), save: async () => undefined };
}

/** Does not wait for the disk: until the file can be written, sessions end with the process. A damaged file is replaced, which ends all. */
export async function openSessionStore(
  file: string,
  log: { warn(context: object, text: string): void },
): Promise<SessionStore> {
  const store = sessionsInMemory();
  const warn = (error: unknown, what: string) =>
    log.warn({ file, why: errorText(error) }, `console sessions ${what}`);
  try {
    const bytes = await readFileIfExists(file);
    if (bytes !== undefined) {
      const { key, ended } = Stored.parse(parseJson(bytes.toString()));
      store.key = Buffer.from(key, 'base64');
      store.ended = new Map(Object.entries(ended));
    }
  } catch (error) {
    warn(error, 'not read; everybody must sign in again');
  }
  let saving = Promise.resolve();
  let saved = '';
  async function write(): Promise<void> {
    const ended = Object.fromEntries(store.ended);
    const text = JSON.stringify({ key: store.key.toString('base64'), ended });
    if (text === saved) return;
    await makeFolder(dirname(file));
    await writeFileAtomic(file, text);
    saved = text;
  }
  store.save = () => {
    saving = saving.then(write).catch((error: unknown) => warn(error, 'not saved'));
    return saving;
  };
  void store.save();
  return store;
}
