/** The demo's copy of racks/demo: a person's edits are kept; an unedited copy follows the original. */

import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sha256 } from '@skolo/base';
import { makeFolder } from '@skolo/base/durable';
import { defaultTokenFolder } from '@skolo/rack/light';
import { root } from './folders.ts';

/** `new`: just copied. `kept`: it was edited. */
export type Origin = 'new' | 'untouched' | 'kept';

/** The directory contains another rack's rack.yaml. */
export class NotOurFolder extends Error {
  readonly code = 'NOT_OUR_FOLDER';
}

export class DemoCopy {
  readonly dir: string;
  readonly rackFile: string;
  /** Digest of rack.yaml as last written by the demo. */
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

  /** @throws NotOurFolder Files of others are never overwritten or deleted. */
  async checkFolder(): Promise<void> {
    const [text, written] = [await readText(this.rackFile), await readText(this.writtenFile)];
    if (text === undefined || written !== undefined) return;
    throw new NotOurFolder(
      `${this.rackFile} is not the demo's. To run it: npm start -- --rack ${this.rackFile}. For the demo give another folder with --dir.`,
    );
  }

  /** Deletes rack.yaml with the files that belong to it. */
  async clear(): Promise<void> {
    if ((await readText(this.writtenFile)) === undefined) return;
    const inMemory = defaultTokenFolder(this.stateDir('metadata-server'));
    const inFolder = ['rack.yaml', 'secrets', 'state', '.rack.yaml.written'];
    for (const path of [inMemory, ...inFolder.map((name) => join(this.dir, name))]) {
      await rm(path, { recursive: true, force: true });
    }
  }

  /** Of the current rack.yaml, or of the original. */
  async text(): Promise<string> {
    return (await readText(this.rackFile)) ?? (await readFile(this.original, 'utf8'));
  }

  /** Updates rack.yaml. `adapt` makes the changes that a new copy needs on this computer, `place` those of this start. */
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

  /** By renaming, so that services and editors never see a partial file. */
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
