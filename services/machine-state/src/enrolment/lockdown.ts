/** Pairing records of iPhones, kept off the card: one file per machine, which only this service reads. It does not unpack them. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ifThere } from '@skolo/base';
import { makeFolder, writeFileAtomic } from '@skolo/base/durable';

export class Lockdown {
  private readonly folder: string;

  constructor(stateDir: string) {
    this.folder = join(stateDir, 'enrolment', 'lockdown');
  }

  async read(machine: string): Promise<Buffer | undefined> {
    return await ifThere(readFile(this.file(machine)));
  }

  /** @throws FileNotWritten */
  async write(machine: string, archive: Buffer): Promise<void> {
    await makeFolder(this.folder);
    await writeFileAtomic(this.file(machine), archive);
  }

  /** Names in rack.yaml are host names. */
  private file(machine: string): string {
    return join(this.folder, `${machine}.tar.gz`);
  }
}
