/** Finds the programs that listen on a port. */
import { readFile, readlink } from 'node:fs/promises';
import { oneLine, stripSecrets } from '@skolo/base';
import { run } from '@skolo/base/run';

/**
 * @param isOwn decides from a command line, whose words end with NUL
 * @returns such as `node /opt/other/server.js (process 812) on port 80`, for each; only root learns the names of others' programs
 */
export async function portHolders(
  port: number,
  isOwn: (cmdline: string) => boolean = () => false,
): Promise<string[]> {
  const args = ['--no-header', '--listening', '--tcp', '--numeric', '--processes'];
  const { stdout } = await run('ss', [...args, `sport = :${port}`], { timeout: 10_000 }).catch(
    () => ({ stdout: '' }),
  );
  const holders = new Set<string>();
  for (const line of stdout.split('\n').filter((found) => found !== '')) {
    // The last one, because a program may choose a name that contains another process's number.
    const [, pid] = /.*,pid=(\d+),fd=/.exec(line) ?? [];
    const cmdline = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
    if (isOwn(cmdline)) continue;
    const who = pid === undefined ? 'another program' : await programText(pid, cmdline);
    holders.add(`${who} on port ${port}`);
  }
  return [...holders];
}

/**
 * Its program, and the first argument that is a path, such as a script: others may be passwords. Not the name that ss prints: it is that of
 * the main thread, which is `MainThread` for every Node program.
 */
async function programText(pid: string, cmdline: string): Promise<string> {
  const [program = '', ...args] = cmdline.split('\0');
  const script = args.find((arg) => /^[\w./-]*\/[\w./-]*$/.test(arg)) ?? '';
  const text =
    oneLine(`${program} ${script}`) || (await readlink(`/proc/${pid}/exe`).catch(() => ''));
  return `${oneLine(stripSecrets(text), 120) || 'a program'} (process ${pid})`;
}
