/** Files of a simulated Unix: kept in memory, or made when they are read. */

import type { Terminal } from '../terminal.ts';
import type { Files } from './box.ts';

export interface MadeFile {
  read(): string;
  /** Absent: nobody can write to it. */
  write?(text: string, terminal: Terminal): void;
}

interface FilesOptions {
  /** Folders in which files can be made: `/tmp`. */
  folders?: readonly string[];
  /** What is there, by path. */
  files?: Readonly<Record<string, string | MadeFile>>;
  /** Paths of the configuration: its faults strike when one is shown. */
  configuration?: readonly string[];
}

export function memoryFiles({
  folders = ['/tmp'],
  files: initial = {},
  configuration = [],
}: FilesOptions = {}): Files {
  const files = new Map(Object.entries(initial));
  const isIn = (folder: string, path: string) =>
    path.startsWith(`${folder}/`) && path.length > folder.length + 1;
  return {
    list: () => [...files.keys()],
    read(path) {
      const file = files.get(path);
      return typeof file === 'object' ? file.read() : file;
    },
    write(path, text, terminal) {
      const file = files.get(path);
      if (typeof file === 'object') file.write?.(text, terminal);
      else if (file === undefined && !folders.some((folder) => isIn(folder, path))) return false;
      else files.set(path, text);
      return typeof file !== 'object' || file.write !== undefined;
    },
    remove: (path) => typeof files.get(path) !== 'object' && files.delete(path),
    isConfiguration: (path) => configuration.includes(path),
  };
}

/** Several of them as one: the first that has a file, or takes one. */
export function joinedFiles(...all: readonly Files[]): Files {
  return {
    list: () => all.flatMap((files) => files.list()),
    read: (path) => all.map((files) => files.read(path)).find((text) => text !== undefined),
    write: (path, text, terminal) => all.some((files) => files.write(path, text, terminal)),
    remove: (path) => all.some((files) => files.remove?.(path) ?? false),
    isConfiguration: (path) => all.some((files) => files.isConfiguration?.(path) ?? false),
  };
}
