import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { tempDir } from '@skolo/base/testing';

/** A folder for PATH with these programs: bodies of shell scripts, by name. */
export async function programs(bodies: Readonly<Record<string, string>>): Promise<string> {
  const folder = await tempDir();
  for (const [name, body] of Object.entries(bodies)) {
    await writeFile(join(folder, name), `#!/bin/sh\n${body}\n`, { mode: 0o755 });
  }
  return folder;
}

/** Programs of adb and libimobiledevice that list nothing. */
export const nothingListed = {
  adb: `[ "$1" = devices ] && echo 'List of devices attached'; exit 0`,
  idevice_id: 'exit 0',
};
