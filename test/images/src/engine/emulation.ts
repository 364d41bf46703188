import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

const folder = '/proc/sys/fs/binfmt_misc';

/**
 * Has the kernel run programs for arm64 by QEMU, as systemd does where it is process 1: the interpreter is opened here
 * and now, so that it works in containers, too. Answers what takes that back; nothing is changed where it is so already.
 */
export async function emulateArm64(): Promise<() => Promise<void>> {
  const name = 'qemu-aarch64';
  const isMounted = existsSync(join(folder, 'register'));
  if (!isMounted) await run('mount', ['-t', 'binfmt_misc', 'binfmt_misc', folder]);
  const unmount = async () => {
    if (!isMounted) await run('umount', [folder]);
  };
  if (existsSync(join(folder, name))) return unmount;
  const rule = await readFile(`/usr/lib/binfmt.d/${name}.conf`, 'utf8');
  await writeFile(join(folder, 'register'), rule.trim());
  return async () => {
    await writeFile(join(folder, name), '-1');
    await unmount();
  };
}
