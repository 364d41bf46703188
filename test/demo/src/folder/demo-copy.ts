/** The demo's copy of racks/demo: a person's edits are kept, an untouched copy follows the original. */

import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sha256 } from '@skolo/base';
import { makeFolder } from '@skolo/durable';
import { root } from './folders.ts';

/** `new`: just copied. `kept`: it was edited. */
export type Origin = 'new' | 'untouched' | 'kept';

/** The folder has the rack.yaml of another rack. */
export class NotOurFolder extends Error {
  readonly code = 'NOT_OUR_FOLDER';
}

export class DemoCopy {
  readonly dir: string;
  readonly rackFile: string;
  /** Digest of rack.yaml as the demo last wrote it. */
  private readonly writtenFile: string;
  private readonly original: string;

  /** `original`: what is copied. */
  constructor(dir: string, original = join(root, 'racks', 'demo', 'rack.yaml')) {
    this.dir = dir;
    this.original = original;
    this.rackFile = join(dir, 'rack.yaml');
    this.writtenFile = join(dir, '.rack.yaml.written');
  }

  stateDir(service: string): string {
    return join(this.dir, 'state', service);
  }

  /** @throws NotOurFolder Nothing of others is overwritten or deleted. */
  async checkFolder(): Promise<void> {
    const [text, written] = [await readText(this.rackFile), await readText(this.writtenFile)];
    if (text === undefined || written !== undefined) return;
    throw new NotOurFolder(
      `${this.rackFile} is not the demo's. To run it: npm start -- --rack ${this.rackFile}. For the demo give another folder with --dir.`,
    );
  }

  /** Deletes rack.yaml with what belongs to it. */
  async clear(): Promise<void> {
    if ((await readText(this.writtenFile)) === undefined) return;
    for (const name of ['rack.yaml', 'secrets', 'state', '.rack.yaml.written']) {
      await rm(join(this.dir, name), { recursive: true, force: true });
    }
  }

  /** Of rack.yaml as it is now, or of the original. */
  async text(): Promise<string> {
    return (await readText(this.rackFile)) ?? (await readFile(this.original, 'utf8'));
  }

  /** Brings rack.yaml up to date. `adapt` is what a new copy needs on this computer, `place` what this start needs. */
  async prepare(change: {
    adapt(text: string): string;
    place(text: string): string;
  }): Promise<Origin> {
    const found = await readText(this.rackFile);
    const edited = found !== undefined && sha256(found) !== (await readText(this.writtenFile));
    const text = change.place(edited ? found : change.adapt(await readFile(this.original, 'utf8')));
    if (!edited) await this.write(this.writtenFile, sha256(text));
    if (text !== found) await this.write(this.rackFile, text);
    if (found === undefined) return 'new';
    return edited ? 'kept' : 'untouched';
  }

  /** By renaming, so that a service or an editor never sees half of it. */
  private async write(file: string, text: string) {
    await makeFolder(this.dir);
    await writeFile(`${file}.tmp`, text);
    await rename(`${file}.tmp`, file);
  }
}

async function readText(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}
