/** Everything in a directory, including packed data, to search for secrets. */
import { execFile } from 'node:child_process';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { promisify } from 'node:util';
import { gunzipSync } from 'node:zlib';

const run = promisify(execFile);

/** Contents by path; for a git repository, also all of its objects. */
export async function allIn(folder: string): Promise<Map<string, Buffer>> {
  const found = new Map<string, Buffer>();
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    const name = relative(folder, path);
    if (entry.isFile()) {
      const bytes = await readFile(path);
      found.set(name, bytes);
      if (bytes.subarray(0, 2).equals(gzip)) found.set(`${name} unpacked`, gunzipSync(bytes));
    }
    if (entry.name === 'objects' && (await isRepository(entry.parentPath))) {
      found.set(`${name}: all objects`, await objectsOf(entry.parentPath));
    }
  }
  return found;
}

const gzip = Buffer.from([0x1f, 0x8b]);

function isRepository(folder: string): Promise<boolean> {
  return stat(join(folder, 'HEAD')).then(
    () => true,
    () => false,
  );
}

async function objectsOf(repository: string): Promise<Buffer> {
  const args = ['-c', 'safe.directory=*', '--git-dir', repository, 'cat-file'];
  const { stdout } = await run('git', [...args, '--batch', '--batch-all-objects'], {
    encoding: 'buffer',
    maxBuffer: 1 << 28,
  });
  return stdout;
}
