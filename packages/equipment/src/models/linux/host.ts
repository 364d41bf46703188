/** Queries of a Linux host, with tools that every host has: find, tar and sha256sum, of GNU or BusyBox. */

import { isUtf8 } from 'node:buffer';
import { rm } from 'node:fs/promises';
import { shellWord } from '@skolo/base';
import { type DeviceConnection, DeviceRejected } from '@skolo/equipment/transports';
import { z } from 'zod';
import type { Identity } from '../contract/backup.ts';
import { inCommands } from '../families/command-line/long-commands.ts';
import { listed } from '../families/command-line/text-reading.ts';
import { linux } from './facts.ts';
import { findArguments, glob, skip } from './globs.ts';

/** Options in the device's rack.yaml entry. */
export const HostFiles = z.object(linux.options);
export type HostFiles = z.infer<typeof HostFiles>;

interface Listing {
  identity: Identity;
  /** Absolute paths of files, links and directories, sorted. */
  paths: string[];
}

const none = Buffer.alloc(0);
/** Exit status of programs that did only part of their work. */
const partly = [1, 2, 123];

export class Host {
  /** Prefix of commands that require it. */
  readonly sudo: string;
  /** Files and directories that exist but cannot be read, each with the reason: `/etc/shadow: Permission denied`. */
  private readonly unread: string[] = [];
  private readonly connection: DeviceConnection;
  private readonly about: HostFiles;
  /** Its tar has an option that omits the contents of directories. Without it, directories are not archived. */
  private hasFolders = false;

  constructor(connection: DeviceConnection, about: HostFiles) {
    this.connection = connection;
    this.about = about;
    this.sudo = about.sudo ? 'sudo -n ' : '';
  }

  /** @throws DeviceRejected, and a session's errors */
  async list(): Promise<Listing> {
    const { files, exclude } = this.about;
    const skipped = exclude.map(skip).filter((each) => each !== undefined);
    const finds = files.map((each) => `${this.sudo}find ${findArguments(each, skipped)}`);
    const script = `cd /; LC_ALL=C; export LC_ALL
echo "machine $(cat /etc/machine-id 2>/dev/null || cat /var/lib/dbus/machine-id 2>/dev/null)"
echo "name $(uname -n)"
folders=
if tar -c -f - --no-recursion /dev >/dev/null 2>&1; then
  folders='-o -type d'; echo folders
fi
echo files
{ ${finds.join('; ')}; } 2>&1
echo end`;
    const lines = splitLines(await this.connection.exec(script, { input: none }));
    const start = lines.indexOf('files');
    if (start < 0 || lines.at(-1) !== 'end') {
      throw new DeviceRejected(this.name, 'the list of files is incomplete');
    }
    const facts = lines.slice(0, start);
    this.hasFolders = facts.includes('folders');
    const fact = (key: string) =>
      facts
        .find((line) => line.startsWith(`${key} `))
        ?.slice(key.length + 1)
        .trim() || undefined;
    return {
      identity: { serial: fact('machine'), hostname: fact('name') },
      paths: this.chosen(lines.slice(start + 1, -1)),
    };
  }

  /**
   * Archives of these paths, one at a time; of directories, without their contents. Omits unreadable ones.
   *
   * @throws DeviceRejected, and a session's errors
   */
  async *tar(paths: readonly string[]): AsyncGenerator<{ file: string; size: number }> {
    const tar = `${this.sudo}tar -c -f - ${this.hasFolders ? '--no-recursion ' : ''}--`;
    // BusyBox only accepts names as arguments.
    for (const names of inCommands(paths.map(shellWord), (name) => name)) {
      const archive = await this.connection.execToFile(`cd /; ${tar} ${names.join(' ')}`, {
        input: none,
        accept: partly,
      });
      if (archive.size > 0) yield archive;
      else {
        await rm(archive.file, { force: true });
        throw new DeviceRejected(this.name, `${JSON.stringify(`${tar} …`)} printed nothing`);
      }
    }
  }

  /** SHA-256 in hex of readable files, by path. */
  async hash(paths: readonly string[]): Promise<Map<string, string>> {
    const hashes = new Map<string, string>();
    if (paths.length === 0) return hashes;
    // With xargs's escaping.
    const words = paths.map((path) => `${path.replaceAll(/[\s'"\\]/g, String.raw`\$&`)}\n`);
    const options = { input: Buffer.from(words.join('')), accept: partly };
    const command = `cd /; xargs ${this.sudo}sha256sum --`;
    for (const line of splitLines(await this.connection.exec(command, options))) {
      const [, mark, hash, name] = /^(\\?)([0-9a-f]{64}) [ *](.*)$/s.exec(line) ?? [];
      if (hash === undefined || name === undefined) {
        throw new DeviceRejected(
          this.name,
          `sha256sum on the host printed an invalid line: ${line}`,
        );
      }
      // sha256sum writes a backslash before a line with an escaped name.
      hashes.set(mark === '' ? name : name.replaceAll(/\\(.)/g, '$1'), hash);
    }
    return hashes;
  }

  /** The existing ones. */
  async existing(paths: readonly string[]): Promise<Set<string>> {
    const found = new Set<string>();
    for (const names of inCommands(paths.map(shellWord), (name) => name)) {
      const command = `cd /; ${this.sudo}find ${names.join(' ')} -prune -print`;
      const output = await this.connection.exec(command, { input: none, accept: partly });
      for (const line of splitLines(output)) found.add(line);
    }
    return found;
  }

  /** Adds files that exist but cannot be read, with the first one's reason. */
  async addUnreadable(paths: readonly string[]): Promise<void> {
    const [first = ''] = paths;
    const command = `cd /; LC_ALL=C; export LC_ALL; ${this.sudo}sha256sum -- ${shellWord(first)} 2>&1`;
    const said = await this.connection.exec(command, { input: none, accept: partly });
    const why = said.toString().trim().split(': ').at(-1);
    this.unread.push(`${first}: ${why}`, ...paths.slice(1));
  }

  /** The matching paths without the excluded ones. */
  private chosen(lines: readonly string[]): string[] {
    const wanted = this.about.files.map(glob);
    const excluded = this.about.exclude.map(glob);
    const isExcluded = (path: string) => excluded.some(({ matches }) => matches(path));
    const paths = new Set<string>();
    /** Directories that cannot be read. */
    const closed = new Set<string>();
    const problems: string[] = [];
    for (const line of lines) {
      const complaint = /^find: ['‘"]?(\/.*?)['’"]?: ([^:]+)$/.exec(line);
      const path = complaint?.[1] ?? line;
      if (complaint) {
        const isMeant = wanted.some(({ matches, reaches }) => matches(path) || reaches(path));
        const isGone = complaint[2] === 'No such file or directory';
        // Everything that could be in it is excluded.
        const isOut = isExcluded(path) || isExcluded(`${path}/x`);
        if (isMeant && !isGone && !isOut) this.unread.push(`${path}: ${complaint[2]}`);
        closed.add(path);
      } else if (!path.startsWith('/')) {
        problems.push(path);
      } else if (wanted.some(({ matches }) => matches(path)) && !isExcluded(path)) {
        if (path.includes('\ufffd')) problems.push(`${path}: the name is not valid UTF-8`);
        paths.add(path);
      }
    }
    const why = this.unreadable(problems);
    if (why !== undefined) throw new DeviceRejected(this.name, why);
    const open = [...paths].filter((path) => !closed.has(path));
    return open.sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  }

  /**
   * What to do about files that cannot be read; undefined: there are none.
   *
   * @param problems `/etc/shadow: Permission denied`; default: those that were found
   */
  unreadable(problems: readonly string[] = this.unread): string | undefined {
    if (problems.length === 0) return undefined;
    const way =
      this.sudo === ''
        ? 'make them readable for the account, set `sudo: true`'
        : 'check `sudo -n` on the host';
    return `not all files can be read: ${listed(problems)}; ${way}, or exclude these files`;
  }

  get name(): string {
    return this.connection.device.name;
  }

  /** @throws DeviceRejected */
  countDisk(bytes: number): void {
    this.connection.countDisk(bytes);
  }
}

/** A name that is not UTF-8 contains U+FFFD. */
function splitLines(output: Buffer): string[] {
  const text = isUtf8(output) ? output.toString() : new TextDecoder().decode(output);
  return text.split('\n').slice(0, -1);
}
