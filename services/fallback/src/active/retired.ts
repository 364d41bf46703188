/** Decides which of two jumphosts is active: a statement with a higher epoch retires (replaces) this one for good. */
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { writeFileAtomic } from '@skolo/base/durable/atomic-file';
import { Statement } from '@skolo/rack/jumphost';
import { readJson } from '../json-file.ts';
import type { ActiveOptions, Own } from './files.ts';

/** Not below /var/lib/skolo, whose content a spare takes over from the jumphost before it. */
const retiredFile = '/var/lib/skolo-active/retired-by.json';

/** The statement that has retired this computer, in this boot or an earlier one. */
export async function readRetired(
  { root, rack }: ActiveOptions,
  own: Own,
): Promise<Statement | undefined> {
  const by = await readJson(join(root, retiredFile), Statement);
  return by?.rack === rack && isHigher(by, own) ? by : undefined;
}

/** Whether it retires this computer. One for this computer never does. */
export function isHigher(statement: Statement, { machine, statement: own }: Own): boolean {
  return statement.machine !== machine && statement.epoch > (own?.epoch ?? 0);
}

/** For good: a reboot does not forget it. */
export async function writeRetired({ root }: ActiveOptions, by: Statement): Promise<void> {
  const file = join(root, retiredFile);
  await mkdir(dirname(file), { recursive: true });
  await writeFileAtomic(file, `${JSON.stringify(by)}\n`, { mode: 0o644 });
}
