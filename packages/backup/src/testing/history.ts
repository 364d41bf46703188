/** A history in a temp folder, and what is stored in it. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { CommitAbout } from '../commit-message.ts';
import { Repository } from '../repository.ts';

const run = promisify(execFile);

export class TestHistory {
  readonly parent: string;
  readonly folder: string;
  private readonly opened: Repository[] = [];

  private constructor(parent: string) {
    this.parent = parent;
    this.folder = join(parent, 'history');
  }

  static async make(): Promise<TestHistory> {
    return new TestHistory(await mkdtemp(join(tmpdir(), 'skolo-backup-')));
  }

  async open(): Promise<Repository> {
    const repository = await Repository.open(this.folder, { rack: 'rack4' });
    this.opened.push(repository);
    return repository;
  }

  /** As a person would run it. */
  async git(...args: string[]): Promise<Buffer> {
    const { stdout } = await run('git', ['--git-dir', this.folder, ...args], {
      encoding: 'buffer',
      maxBuffer: 1 << 28,
    });
    return stdout;
  }

  /** The same with something to read. */
  async feed(args: readonly string[], input: string): Promise<void> {
    const running = run('git', ['--git-dir', this.folder, ...args]);
    running.child.stdin?.end(input);
    await running;
  }

  async remove(): Promise<void> {
    for (const repository of this.opened) await repository.close();
    await rm(this.parent, { recursive: true });
  }
}

export function about(more: Partial<CommitAbout> = {}): CommitAbout {
  return {
    rack: 'rack4',
    model: 'edgeswitch',
    run: 'run-1',
    time: '2026-11-20T03:15:00Z',
    by: 'schedule',
    ...more,
  };
}

export function change(device: string, content: string | Buffer, more?: Partial<CommitAbout>) {
  return { device, content: { bytes: Buffer.from(content) }, about: about(more) };
}
