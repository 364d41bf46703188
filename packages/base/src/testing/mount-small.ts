import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { onTestFinished, type TestContext } from 'vitest';
import { run } from '../programs/run.ts';

/** Makes the directory a disk of its own until the test ends, or skips the test. `options` of tmpfs: its size, `ro`. */
export async function mountSmall(
  { skip }: Pick<TestContext, 'skip'>,
  dir: string,
  options: string,
): Promise<void> {
  if (process.getuid?.() !== 0 || process.platform !== 'linux') skip('needs root to mount a tmpfs');
  await run('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', dir]).catch(() =>
    skip('may not mount a tmpfs here'),
  );
  // Lazily, since a test that failed may have left files open.
  onTestFinished(async () => void (await run('umount', ['--lazy', dir])));
}

/**
 * Makes the directory a disk of its own until the test ends, or skips the test. While it is frozen, whatever writes to it waits in the
 * kernel, and cannot even be killed. A process that has mapped a file of it may not be able to fork then, so a shell that has started
 * before thaws it.
 */
export async function mountFreezable({ skip }: Pick<TestContext, 'skip'>, dir: string) {
  if (process.getuid?.() !== 0 || process.platform !== 'linux') skip('needs root to mount a disk');
  const image = `${dir}.image`;
  const script = `truncate -s 64M ${image} && mkfs.ext4 -q -F ${image} && mount -o loop ${image} ${dir} && fsfreeze -f ${dir} && fsfreeze -u ${dir}`;
  await run('sh', ['-c', script]).catch(() => skip('may not mount and freeze a disk here'));
  // At its end, too, so that a test that was killed leaves no frozen disk behind.
  const each = `while read -r flag; do fsfreeze "$flag" "$1" && echo done; done; fsfreeze -u "$1"`;
  const shell = spawn('sh', ['-c', each, 'sh', dir], { stdio: ['pipe', 'pipe', 'ignore'] });
  async function tell(flag: '-f' | '-u') {
    shell.stdin.write(`${flag}\n`);
    await once(shell.stdout, 'data');
  }
  onTestFinished(async () => {
    shell.stdin.end();
    await once(shell, 'exit');
    await run('umount', ['--lazy', dir]);
  });
  return { freeze: () => tell('-f'), thaw: () => tell('-u') };
}
