/**
 * Tokens saved for the next process, so that a restart or an update during an outage loses none. They stay in memory: a 0600 file in a
 * memory file system, valid for the same boot only, because expiry is stored in seconds since boot.
 */

import { lstat, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { readBootId } from '@skolo/base';
import { makeFolder, readFileIfExists, writeFileAtomic } from '@skolo/base/durable';
import type { Rack } from '@skolo/rack';
import { defaultTokenFolder } from '@skolo/rack/light';
import { z } from 'zod';

const SavedToken = z.object({
  /** `Account.key`, and the scopes: what the token is for. */
  account: z.string(),
  owner: z.string().optional(),
  scopes: z.array(z.string()),
  value: z.string().min(1),
  life: z.number().positive(),
  expiresAt: z.number(),
  wallExpiresAt: z.number().optional(),
});
export type SavedToken = z.infer<typeof SavedToken>;

const Contents = z.object({ bootId: z.string(), tokens: z.array(SavedToken) });

/** statfs(2): TMPFS_MAGIC and RAMFS_MAGIC. */
const memoryFileSystems = new Set([0x01021994, 0x858458f6]);

export function savedTokensFolder(rack: Rack, stateDir: string): string {
  return rack.services['metadata-server'].tokenFolder ?? defaultTokenFolder(stateDir);
}

/** The file that stores tokens for the next process. Every error says what to do. */
export class SavedTokens {
  private readonly folder: () => string;
  private readonly bootId: () => string | undefined;
  private writing: Promise<void> = Promise.resolve();

  /** `folder` is evaluated each time: rack.yaml may name another one. */
  constructor(folder: () => string, bootId = readBootId) {
    this.folder = folder;
    this.bootId = bootId;
  }

  /** Tokens of the previous process, unless from another boot. The caller must check their expiry. */
  async load(): Promise<SavedToken[]> {
    await this.checkFolder();
    const content = await readFileIfExists(this.file);
    if (content === undefined) return [];
    let contents: z.infer<typeof Contents>;
    try {
      contents = Contents.parse(JSON.parse(content));
    } catch {
      throw new Error(
        `${this.file} does not contain saved tokens, so the file is ignored and replaced`,
      );
    }
    return contents.bootId === this.bootId() ? contents.tokens : [];
  }

  /** Replaces the stored tokens, one write at a time. */
  save(tokens: readonly SavedToken[]): Promise<void> {
    this.writing = this.writing.catch(() => undefined).then(() => this.write(tokens));
    return this.writing;
  }

  private async write(tokens: readonly SavedToken[]): Promise<void> {
    await this.checkFolder();
    const bootId = this.bootId();
    if (bootId === undefined) throw new Error('/proc does not contain the boot ID');
    const contents = { bootId, tokens };
    await writeFileAtomic(this.file, JSON.stringify(contents), { mode: 0o600 });
  }

  private get file(): string {
    return join(this.folder(), 'tokens.json');
  }

  /** The directory belongs to this service alone, and is in memory. Others may write to /dev/shm: their directories are rejected. */
  private async checkFolder(): Promise<void> {
    const dir = this.folder();
    await makeFolder(dir);
    const folder = await lstat(dir);
    const isPrivate = folder.uid === process.getuid?.() && (folder.mode & 0o077) === 0;
    if (!folder.isDirectory() || !isPrivate) {
      throw new Error(`${dir} must be a directory that only this user can access (mode 0700)`);
    }
    const { type } = await statfs(dir);
    if (!memoryFileSystems.has(type)) {
      throw new Error(`${dir}: not on an in-memory file system; tokens are not written to disk`);
    }
  }
}
