/** A history in a temp folder, and what is stored in it. */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { promisify } from 'node:util';
import type { CommitAbout } from '../commit-message.ts';
import { Repository } from '../repository.ts';

const run = promisify(execFile);

/** What a history is that has just begun, by path; a folder is undefined. Made once for all tests of a file. */
let justBegun: Promise<Map<string, Buffer | undefined>> | undefined;

/** As the first `open` of a folder leaves it, which takes eight processes. For tests that are not about that. */
export async function beginHistory(folder: string): Promise<void> {
  justBegun ??= makeOne();
  await mkdir(folder, { mode: 0o700 });
  for (const [path, bytes] of await justBegun) {
    if (bytes === undefined) await mkdir(join(folder, path));
    else await writeFile(join(folder, path), bytes);
  }
}

async function makeOne(): Promise<Map<string, Buffer | undefined>> {
  const history = await TestHistory.make();
  try {
    await (await history.open()).close();
    const entries = await readdir(history.folder, { recursive: true, withFileTypes: true });
    const made = new Map<string, Buffer | undefined>();
    for (const entry of entries) {
      const path = join(entry.parentPath, entry.name);
      const bytes = entry.isDirectory() ? undefined : await readFile(path);
      made.set(relative(history.folder, path), bytes);
    }
    // A folder comes before what is in it.
    return new Map([...made].sort(([a], [b]) => (a < b ? -1 : 1)));
  } finally {
    await history.remove();
  }
}

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

  /** See `beginHistory`. */
  static async begun(): Promise<TestHistory> {
    const history = await TestHistory.make();
    await beginHistory(history.folder);
    return history;
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
