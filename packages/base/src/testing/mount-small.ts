import { onTestFinished, type TestContext } from 'vitest';
import { run } from './run.ts';

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
 * kernel, and cannot even be killed.
 */
export async function mountFreezable({ skip }: Pick<TestContext, 'skip'>, dir: string) {
  if (process.getuid?.() !== 0 || process.platform !== 'linux') skip('needs root to mount a disk');
  const image = `${dir}.image`;
  const script = `truncate -s 64M ${image} && mkfs.ext4 -q -F ${image} && mount -o loop ${image} ${dir} && fsfreeze -f ${dir} && fsfreeze -u ${dir}`;
  await run('sh', ['-c', script]).catch(() => skip('may not mount and freeze a disk here'));
  const freeze = () => run('fsfreeze', ['-f', dir]);
  const thaw = () => run('fsfreeze', ['-u', dir]);
  onTestFinished(async () => {
    await thaw().catch(() => undefined);
    await run('umount', ['--lazy', dir]);
  });
  return { freeze, thaw };
}
