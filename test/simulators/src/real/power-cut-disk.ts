/**
 * A disk whose power a test cuts: a file with ext4, as SD cards have, on XFS. A cut is a copy of that file at one moment (reflink), with
 * which the disk goes on: what the kernel had not written by then is lost. Unlike a real cut, it keeps what is in the disk's own cache.
 *
 * The file systems are in a mount namespace. Nothing is left of it when the test ends, however it ends.
 */
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Process, succeeds } from '../process.ts';

const run = promisify(execFile);

const makeDisk = `cd "$1"
mkdir outer disk
truncate -s 2G outer.img
mkfs.xfs -q -m reflink=1 outer.img
mount -o loop outer.img outer
truncate -s 1G outer/disk.img
mkfs.ext4 -q outer/disk.img
mkdir ready
exec cat`;

export class PowerCutDisk {
  /** Visible in the mount namespace, with `disk`, where it can be mounted. */
  readonly dir: string;
  /** In the mount namespace. */
  readonly file: string;
  private readonly holder: Process;

  private constructor(dir: string) {
    this.dir = dir;
    this.file = join(dir, 'outer/disk.img');
    const inside = ['--mount', '--propagation', 'private', 'sh', '-euc', makeDisk, 'sh', dir];
    this.holder = new Process('setpriv', ['--pdeathsig', 'KILL', 'unshare', ...inside]);
  }

  /** Makes an empty one, which is not mounted. */
  static async make(): Promise<PowerCutDisk> {
    const disk = new PowerCutDisk(await mkdtemp(join(tmpdir(), 'skolo-power-cut-')));
    try {
      await disk.holder.until('its disk', () => succeeds(disk.sh('[ -e ready ]')));
      return disk;
    } catch (error) {
      await disk.close();
      throw error;
    }
  }

  /** The process whose mount namespace has the file. */
  get pid(): number {
    return this.holder.pid;
  }

  /** Runs a script in its folder. */
  async sh(script: string): Promise<string> {
    const args = [`--mount=/proc/${this.pid}/ns/mnt`, 'sh', '-euc', `cd "$1"; ${script}`, 'sh'];
    return (await run('nsenter', [...args, this.dir], { maxBuffer: 10_000_000 })).stdout;
  }

  /** It is from now on what it was at this moment. @param stop ends all that uses it, and unmounts it */
  async cutPower(stop: () => Promise<void>): Promise<void> {
    await this.sh('cp --reflink=always outer/disk.img outer/next.img');
    await stop();
    await this.sh('mv outer/next.img outer/disk.img');
  }

  async close(): Promise<void> {
    await this.holder.stop();
    await rm(this.dir, { recursive: true, force: true });
  }
}
