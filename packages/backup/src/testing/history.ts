/** A history in a temporary directory, and its contents. */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { promisify } from 'node:util';
import { feed, tempDir } from '@skolo/base/testing';
import { onTestFinished } from 'vitest';
import type { CommitAbout } from '../history/commit-message.ts';
import { Repository } from '../history/repository.ts';

const run = promisify(execFile);

/** Like `make`, but creates the directory once for all tests of a process, and copies it for each, which saves several processes. */
export function copiesOf(
  make: (folder: string) => Promise<unknown>,
): (folder: string) => Promise<void> {
  let made: Promise<Map<string, Buffer | undefined>> | undefined;
  return async (folder) => {
    made ??= contentOf(make);
    await mkdir(folder, { recursive: true, mode: 0o700 });
    for (const [path, bytes] of await made) {
      if (bytes === undefined) await mkdir(join(folder, path), { recursive: true });
      else await writeFile(join(folder, path), bytes);
    }
  };
}

/** The contents of the created directory, by path; undefined for a directory. */
async function contentOf(make: (folder: string) => Promise<unknown>) {
  const parent = await mkdtemp(join(tmpdir(), 'skolo-backup-'));
  const folder = join(parent, 'made');
  try {
    await make(folder);
    const made = new Map<string, Buffer | undefined>();
    for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
      const path = join(entry.parentPath, entry.name);
      made.set(relative(folder, path), entry.isDirectory() ? undefined : await readFile(path));
    }
    // A directory precedes its contents.
    return new Map([...made].sort(([a], [b]) => (a < b ? -1 : 1)));
  } finally {
    await rm(parent, { recursive: true });
  }
}

/** Turns a directory into a history, filled by `fill`. */
export function filledBy(fill: (repository: Repository) => Promise<unknown>) {
  return copiesOf(async (folder) => {
    const repository = await Repository.open(folder, { rack: 'rack4' });
    await fill(repository);
    await repository.close();
  });
}

/** A history as the first `open` of a directory leaves it, for tests of something else. */
export const createHistory = filledBy(async () => undefined);

export class TestHistory {
  readonly parent: string;
  readonly folder: string;
  private readonly opened: Repository[] = [];

  private constructor(parent: string) {
    this.parent = parent;
    this.folder = join(parent, 'history');
  }

  static async make(): Promise<TestHistory> {
    const history = new TestHistory(await tempDir());
    onTestFinished(async () => {
      for (const repository of history.opened) await repository.close();
    });
    return history;
  }

  /** See `createHistory`. */
  static async withFirstCommit(): Promise<TestHistory> {
    const history = await TestHistory.make();
    await createHistory(history.folder);
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

  /** The same with input. */
  async feed(args: readonly string[], input: string): Promise<void> {
    const running = run('git', ['--git-dir', this.folder, ...args]);
    feed(running.child, input);
    await running;
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
