/** Which files make up a database: the records of `MANIFEST-*` (LevelDB 1.20, db/version_edit.cc). */
import { Cursor } from './varint.ts';

export interface Manifest {
  /** Size of each table by its number. */
  tables: Map<number, number>;
  /** Logs from this number on are not in tables yet. */
  firstLog: number;
}

const tags = {
  comparator: 1,
  logNumber: 2,
  nextFile: 3,
  lastSequence: 4,
  compactPointer: 5,
  deletedFile: 6,
  newFile: 7,
  prevLogNumber: 9,
};

/** @throws RangeError A record is not what LevelDB writes. */
export function readManifest(records: Buffer[]): Manifest {
  const manifest: Manifest = { tables: new Map(), firstLog: 0 };
  for (const record of records) apply(manifest, new Cursor(record));
  return manifest;
}

function apply(manifest: Manifest, edit: Cursor) {
  while (!edit.isAtEnd) {
    const tag = edit.number();
    switch (tag) {
      case tags.comparator:
        edit.string();
        break;
      case tags.logNumber:
        manifest.firstLog = edit.number();
        break;
      case tags.nextFile:
      case tags.lastSequence:
      case tags.prevLogNumber:
        edit.number();
        break;
      case tags.compactPointer:
        edit.number();
        edit.string();
        break;
      case tags.deletedFile:
        edit.number();
        manifest.tables.delete(edit.number());
        break;
      case tags.newFile: {
        edit.number();
        const table = edit.number();
        manifest.tables.set(table, edit.number());
        edit.string();
        edit.string();
        break;
      }
      default:
        throw new RangeError(`unknown tag ${tag}`);
    }
  }
}
