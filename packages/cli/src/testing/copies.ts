/** The remains of a dead rack: real copies of its history, in a session's directory. */

import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { gzipSync } from 'node:zlib';
import { encryptTo, Repository } from '@skolo/backup';
import { versionsOf } from '@skolo/scripted-services';

/** Names of commits that change with each run, and their fixed replacements. */
type Placeholders = ReadonlyMap<string, string>;

/** `history.git`, with what the router backup of the tests knows of the router and of switch-1, and a modem. */
export async function createHistory(dir: string): Promise<Placeholders> {
  const placeholders = new Map<string, string>();
  const repository = await Repository.open(join(dir, 'history.git'), { rack: 'rack4' });
  for (const equipment of ['router', 'switch-1', 'modem']) {
    for (const { version, content } of versionsOf(equipment).reverse()) {
      const { model, time, by = 'schedule', reason, changedBy } = version;
      const { id } = await repository.commit({
        device: equipment,
        content: { bytes: Buffer.from(content) },
        about: {
          rack: 'rack4',
          model: model ?? 'generic',
          run: 'r0001',
          time,
          by,
          summary: version.summary?.replace(`${equipment}: `, ''),
          ...(reason !== undefined && { reason }),
          ...(changedBy !== undefined && { changedBy }),
        },
      });
      placeholders.set(id, version.id);
      placeholders.set(id.slice(0, 12), version.id.slice(0, 12));
    }
  }
  await repository.close();
  return placeholders;
}

/** Recipient of `key.txt`, in a session's directory. */
const recipient = 'age1a6vmyvkzxlmrthshfcela8a7qtfpvgam32klj5vkqljvkgr559fq42txr6';

/** `objects`, as `upload` leaves them, and `encrypted`, the same for who has `key.txt`. */
export async function createObjects(dir: string): Promise<Placeholders> {
  const placeholders = new Map<string, string>();
  await mkdir(join(dir, 'objects'));
  await mkdir(join(dir, 'encrypted'));
  for (const equipment of ['router', 'switch-1']) {
    for (const { version, content } of versionsOf(equipment)) {
      const day = version.time.slice(0, 10);
      const sha1 = createHash('sha1').update(content).digest('hex');
      const name = `${day}-${equipment}-${sha1}.gz`;
      const packed = gzipSync(content);
      const files = [join(dir, 'objects', name), join(dir, 'encrypted', `${name}.age`)] as const;
      await writeFile(files[0], packed);
      await pipeline(Readable.from([packed]), encryptTo([recipient]), createWriteStream(files[1]));
      for (const file of files) await utimes(file, new Date(version.time), new Date(version.time));
      placeholders.set(`${day}-${equipment}`, `YYYY-MM-DD-${equipment}`);
    }
  }
  return placeholders;
}
