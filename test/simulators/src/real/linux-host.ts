/**
 * A Linux host behind OpenSSH's server: the shell and the programs are those of this computer, the files are in a
 * temporary folder. Programs can be put in front of the real ones: a `tar` that fails, a `sudo` that asks for a password.
 */
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type RealSshd, startSshd } from './sshd.ts';

export interface LinuxHost extends Omit<RealSshd, 'program'> {
  /** Absolute; what would be `/` is here. */
  root: string;
  /** A file beneath `root`, with its folders. */
  write(path: string, content: string | Buffer, mode?: number): Promise<void>;
  /**
   * A shell script that is found before the program of that name. In it, `$REAL` is where all others are, so
   * `PATH=$REAL tar "$@"` is the real one, and `$SSHD` the process of sshd for this session, whose death cuts the
   * connection.
   */
  program(name: string, script: string): Promise<void>;
}

export interface LinuxHostOptions {
  /** What is run is run as `nobody`. For tests that root runs, who can read all. */
  asNobody?: boolean;
  /** More of sshd_config. */
  lines?: readonly string[];
}

/** Undefined where sshd is not installed. */
export async function startLinuxHost({
  asNobody = false,
  lines,
}: LinuxHostOptions = {}): Promise<LinuxHost | undefined> {
  const dir = await mkdtemp(join(tmpdir(), 'skolo-host-'));
  const [root, programs] = [join(dir, 'root'), join(dir, 'programs')];
  await mkdir(root);
  await mkdir(programs);
  const as = asNobody ? 'setpriv --reuid=65534 --regid=65534 --clear-groups ' : '';
  const session = `#!/bin/sh
export REAL="$PATH" PATH="${programs}:$PATH" SSHD=$PPID
if [ -z "$SSH_ORIGINAL_COMMAND" ]; then exec ${as}sh -i; fi
exec ${as}sh -c "$SSH_ORIGINAL_COMMAND"
`;
  await writeFile(join(dir, 'session'), session, { mode: 0o755 });
  // Whoever signs in may not be who made it.
  await chmod(dir, 0o755);
  const remove = () => rm(dir, { recursive: true, force: true });
  const sshd = await startSshd(join(dir, 'session'), lines).catch(async (error: unknown) => {
    await remove();
    throw error;
  });
  if (sshd === undefined) {
    await remove();
    return undefined;
  }
  return {
    ...sshd,
    root,
    async write(path, content, mode = 0o644) {
      const file = join(root, path);
      await mkdir(dirname(file), { recursive: true });
      await writeFile(file, content);
      await chmod(file, mode);
    },
    async program(name, script) {
      await writeFile(join(programs, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    },
    async close() {
      await sshd.close();
      await remove();
    },
  };
}
