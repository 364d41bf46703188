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
