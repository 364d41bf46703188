/**
 * The process that atomic-file.test.ts kills: `node atomic-file-writer.ts FILE FIRST` writes version FIRST,
 * FIRST + 1, … of FILE for ever and prints each number once its write is reported as done.
 */

import { argv } from 'node:process';
import { sha256 } from '@skolo/base';
import { writeFileAtomic } from '../files/atomic-file.ts';
import { report } from './fault-injection.ts';

const [, script, file, first] = argv;

/** Its own number, a checksum, and from 0 to 256 KiB of filling, so that kills hit short and long writes. */
export function versionText(version: number): string {
  const filling = String.fromCharCode(97 + (version % 26)).repeat((version * 7919) % 262_144);
  const text = `${version}\n${filling}\n`;
  return `${sha256(text)}\n${text}`;
}

if (script?.endsWith('atomic-file-writer.ts') && file !== undefined) {
  for (let version = Number(first); ; version += 1) {
    await writeFileAtomic(file, versionText(version));
    report(`${version}`);
  }
}
