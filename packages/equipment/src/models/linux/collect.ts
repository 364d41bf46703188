/**
 * A host's files, each verified: its hash was computed on the host and here. Files that changed in between are read again; the host keeps
 * unreadable ones apart.
 */

import { createHash } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { count } from '@skolo/base';
import { AnswerCut } from '@skolo/equipment/transports';
import { membersToWrite, type NewMember, writtenBytes } from '../configuration/archive-write.ts';
import { BackupError } from '../configuration/errors.ts';
import type { Content } from '../contract/backup.ts';
import { listed } from '../families/command-line/text-reading.ts';
import type { Host } from './host.ts';

const tries = 3;

/** A member, and the hash of its content in hex. */
export type VerifiedMember = NewMember & { sha256?: string };

export class Collected {
  readonly members: VerifiedMember[] = [];
  private readonly files: string[] = [];

  /** @throws AnswerCut A file changes all the time, or an archive is truncated. */
  static async of(host: Host, paths: readonly string[]): Promise<Collected> {
    const collected = new Collected();
    try {
      await collected.read(host, paths);
      return collected;
    } catch (error) {
      await collected.close();
      throw error;
    }
  }

  /** Size of the files that contents are read from; undefined: there are none. */
  get folder(): string | undefined {
    return this.files[0] && dirname(this.files[0]);
  }

  /** Removes the files that contents are read from. */
  async close(): Promise<void> {
    for (const file of this.files) await rm(file, { force: true });
  }

  private async read(host: Host, paths: readonly string[]): Promise<void> {
    let rest = paths;
    for (let attempt = 0; attempt < tries && rest.length > 0; attempt += 1) {
      const archives: Content[] = [];
      for await (const archive of host.tar(rest)) {
        this.files.push(archive.file);
        archives.push(archive);
      }
      rest = await this.verified(host, rest, archives);
    }
    if (rest.length === 0) return;
    const what = `${count(rest.length, 'file')} changed during each of ${tries} readings: ${listed(rest)}; exclude ${rest.length === 1 ? 'it' : 'them'} if this is expected`;
    throw new AnswerCut(host.name, what);
  }

  /** Keeps verified files, and returns the paths of the others. */
  private async verified(
    host: Host,
    paths: readonly string[],
    archives: readonly Content[],
  ): Promise<string[]> {
    const members: [string, NewMember][] = [];
    for (const archive of archives) members.push(...(await membersOf(host, archive)));
    // Before they are hashed: a small file with many hard links would take hours.
    for (const [, member] of members) host.countDisk(writtenBytes(member));
    const found = new Map(members);
    const isOther = (path: string) => (found.get(path)?.type ?? 'file') !== 'file';
    const hashes = await host.hash(paths.filter((path) => !isOther(path)));
    const rest: string[] = [];
    const unknown: string[] = [];
    for (const path of paths) {
      const member = found.get(path);
      const hash = hashes.get(path);
      if (member && isOther(path)) this.members.push(member);
      else if (hash === undefined) unknown.push(path);
      else if (member && hash === (await hashOf(member))) {
        this.members.push({ ...member, sha256: hash });
      } else rest.push(path);
    }
    // Others are gone.
    const there = await host.existing(unknown);
    if (there.size > 0) await host.addUnreadable([...there]);
    return rest;
  }
}

/** By absolute path. Hard-linked files become separate files. */
async function membersOf(host: Host, archive: Content): Promise<[string, NewMember][]> {
  try {
    return (await membersToWrite(archive)).map((member) => [`/${member.name}`, member]);
  } catch (error) {
    if (!(error instanceof BackupError)) throw error;
    const what = `the output of tar on the host cannot be used: ${error.message}`;
    throw new AnswerCut(host.name, what, { cause: error });
  }
}

/** Of the content, in hex. */
export async function hashOf({ content }: NewMember): Promise<string> {
  const hash = createHash('sha256');
  if (typeof content !== 'function') return hash.update(content ?? '').digest('hex');
  for await (const chunk of content()) hash.update(chunk);
  return hash.digest('hex');
}
