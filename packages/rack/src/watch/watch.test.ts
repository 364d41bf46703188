import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import {
  appendFile,
  mkdir,
  readFile,
  rename,
  rm,
  stat,
  symlink,
  truncate,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { promisify } from 'node:util';
import { tempDir } from '@skolo/base/testing';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { RackError } from '../issues/issues.ts';
import type { Rack } from '../rack/rack.ts';
import { parseRack } from '../read/load.ts';
import type { RackWatch, WatchRackOptions, WatchTuning } from './rack-watcher.ts';
import { watchRack } from './watch.ts';

const invalid = 'rack: [\n';

let folder: string;
let file: string;
let stateDir: string;
let open: RackWatch[];
beforeEach(async () => {
  folder = await tempDir();
  file = join(folder, 'etc', 'rack.yaml');
  stateDir = join(folder, 'state');
  open = [];
  await mkdir(join(folder, 'etc'));
  await writeFile(file, rackText('one'));
});
afterEach(async () => {
  await Promise.all(open.map((watch) => watch.close()));
});

describe.each([
  // An hour between looks: it is the notification that is seen.
  { by: 'notifications', tuning: { poll: 3_600_000 } },
  { by: 'looking', tuning: { notify: false } },
])('watchRack by $by', ({ tuning }) => {
  it.each<[string, (text: string) => Promise<void>]>([
    ['a plain edit', (text) => writeFile(file, text)],
    [
      'an editor’s rename',
      async (text) => {
        await writeFile(`${file}~`, text);
        await rename(`${file}~`, file);
      },
    ],
    [
      'an editor that makes a backup first',
      async (text) => {
        await rename(file, `${file}.bak`);
        await writeFile(file, text);
      },
    ],
    [
      'a file removed and made again',
      async (text) => {
        await rm(file);
        await writeFile(file, text);
      },
    ],
    [
      'a file that becomes a symlink',
      async (text) => {
        await writeFile(join(folder, 'elsewhere.yaml'), text);
        await rm(file);
        await symlink(join(folder, 'elsewhere.yaml'), file);
      },
    ],
  ])('sees %s', async (_, edit) => {
    const { watch, changes, reloads } = await started(tuning);
    expect(watch.rack.name).toBe('one');

    await edit(rackText('two'));

    await changes.reach(1);
    expect(watch.rack.name).toBe('two');
    expect(changes.seen).toEqual(['one -> two']);
    expect(reloads.seen).toEqual(['two']);
    expect(watch.degraded).toEqual([]);
  });

  it('sees the symlink swaps of a ConfigMap, one after the other', async () => {
    const mount = join(folder, 'mount');
    file = join(mount, 'rack.yaml');
    await mkdir(mount);
    await symlink('..data/rack.yaml', file);
    await configMap(mount, 'v1', rackText('one'));
    const { watch, changes } = await started(tuning);

    await configMap(mount, 'v2', rackText('two'));
    await changes.reach(1);
    await rm(join(mount, 'v1'), { recursive: true });
    await configMap(mount, 'v3', rackText('three'));
    await changes.reach(2);

    expect(changes.seen).toEqual(['one -> two', 'two -> three']);
    expect(watch.rack.dir).toBe(mount);
  });

  it('takes no notice of a touch, nor of the same text in a new file', async () => {
    const { changes, reloads } = await started(tuning);

    await utimes(file, 1, 1);
    await writeFile(`${file}~`, rackText('one'));
    await rename(`${file}~`, file);
    await writeFile(file, rackText('two'));

    await changes.reach(1);
    expect(changes.seen).toEqual(['one -> two']);
    expect(reloads.seen).toEqual(['two']);
  });

  it('rejects an invalid edit, keeps the last good version, and recovers', async () => {
    const { watch, changes, rejected } = await started(tuning);

    await writeFile(file, invalid);
    await rejected.reach(1);

    expect(watch.rack.name).toBe('one');
    const [first] = watch.degraded;
    expect(first).toMatchObject({
      what: 'rack.yaml',
      why: expect.stringMatching(
        /^rejected: .*rack\.yaml:\d+:\d+ .*; the previous version stays in effect$/,
      ),
    });

    await writeFile(file, `# another error\n${invalid}`);
    await rejected.reach(2);
    expect(watch.degraded).toHaveLength(1);
    expect(watch.degraded[0]?.since).toBe(first?.since);

    await writeFile(file, rackText('two'));
    await changes.reach(1);
    expect(watch.degraded).toEqual([]);
    expect(changes.seen).toEqual(['one -> two']);
    expect(rejected.seen).toHaveLength(2);
  });
});

describe('watchRack', () => {
  it('sees an edit of a symlink’s target in a folder that it does not watch', async () => {
    await mkdir(join(folder, 'srv'));
    const target = join(folder, 'srv', 'rack4.yaml');
    await rename(file, target);
    await symlink('../srv/rack4.yaml', file);
    const { watch, changes } = await started();

    await writeFile(target, rackText('two'));

    await changes.reach(1);
    expect(watch.rack.name).toBe('two');
    expect(watch.rack.dir).toBe(join(folder, 'etc'));
  });

  it('sees a whole folder being replaced', async () => {
    const { changes } = await started();

    await mkdir(join(folder, 'etc.new'));
    await writeFile(join(folder, 'etc.new', 'rack.yaml'), rackText('two'));
    await rename(join(folder, 'etc'), join(folder, 'etc.old'));
    await rename(join(folder, 'etc.new'), join(folder, 'etc'));

    await changes.reach(1);
    expect(changes.seen).toEqual(['one -> two']);
  });

  it('sees many edits of the same size in quick succession', async () => {
    const { changes, watch } = await started();

    for (let round = 100; round < 120; round += 1) {
      await writeFile(file, rackText(`r${round}`));
      await vi.waitFor(() => expect(watch.rack.name).toBe(`r${round}`));
    }

    expect(changes.seen).toHaveLength(20);
  });

  it('rejects the same content once, however often it is written', async () => {
    const { rejected, changes } = await started();

    await writeFile(file, invalid);
    await rejected.reach(1);
    await utimes(file, 1, 1);
    await writeFile(`${file}~`, invalid);
    await rename(`${file}~`, file);
    await writeFile(file, rackText('two'));
    await changes.reach(1);

    expect(rejected.seen).toHaveLength(1);
  });

  it('says so when a rejected edit is taken back, which changes nothing', async () => {
    const { watch, rejected, reloads, changes } = await started();
    const { rack } = watch;

    await writeFile(file, invalid);
    await rejected.reach(1);
    await writeFile(file, rackText('one'));
    await reloads.reach(1);

    expect(watch.rack).toBe(rack);
    expect(watch.degraded).toEqual([]);
    expect(changes.seen).toEqual([]);
  });

  it('treats a missing file like an invalid one', async () => {
    const { watch, rejected, reloads } = await started();

    await rm(file);
    await rejected.reach(1);
    expect(rejected.seen[0]).toBeInstanceOf(RackError);
    expect(watch.degraded[0]?.why).toBe(
      `rejected: ${file}:1:1 no such file; the previous version stays in effect`,
    );
    expect(watch.rack.name).toBe('one');

    await writeFile(file, rackText('one'));
    await reloads.reach(1);
    expect(watch.degraded).toEqual([]);
  });

  it.each([
    ['a folder', 'is a directory; specify the path of the file in it', () => mkdir(file)],
    [
      'a named pipe',
      'is not a regular file; specify one',
      () => promisify(execFile)('mkfifo', [file]),
    ],
    [
      'far too large',
      'is too large for a rack.yaml; check the path',
      async () => {
        await writeFile(file, '');
        await truncate(file, 2 ** 30);
      },
    ],
  ])('rejects what is %s', async (_, why, replace) => {
    const { watch, rejected, changes } = await started();

    await rm(file);
    await replace();
    await rejected.reach(1);
    expect(rejected.seen.at(-1)?.message).toBe(`${file}:1:1 ${why}`);
    expect(watch.rack.name).toBe('one');

    await rm(file, { recursive: true });
    await writeFile(file, rackText('two'));
    await changes.reach(1);
  });

  it('gives a half-written file time to become whole', async () => {
    const whole = rackText('two');
    const half = whole.slice(0, 15);
    const parse: typeof parseRack = (text, options) => {
      // The other half arrives while the first is being checked.
      if (text === half) writeFileSync(file, whole);
      return parseRack(text, options);
    };
    const { changes, rejected } = await started({}, { parse });

    await writeFile(file, half);

    await changes.reach(1);
    expect(changes.seen).toEqual(['one -> two']);
    expect(rejected.seen).toEqual([]);
  });

  it('does not take a part of a file for the whole, though it be valid', async () => {
    const parsed: string[] = [];
    const parse: typeof parseRack = (text, options) => {
      parsed.push(text);
      return parseRack(text, options);
    };
    const { changes } = await started({ poll: 1, settle: 300, settleAtMost: 60_000 }, { parse });
    parsed.length = 0;

    await writeFile(file, rackText('two'));
    // Longer than it takes to settle, with much shorter pauses.
    const end = performance.now() + 900;
    while (performance.now() < end) await appendFile(file, '# one more line\n');

    await changes.reach(1);
    expect(parsed).toEqual([await readFile(file, 'utf8')]);
  });

  it('does not wait for ever for a file that is written all the time', async () => {
    const { changes } = await started({ settleAtMost: 50 });
    let writing = true;

    const writer = (async () => {
      for (let line = 0; writing; line += 1) await writeFile(file, `${rackText('two')}# ${line}\n`);
    })();

    await changes.reach(1);
    writing = false;
    await writer;
  });

  it('tells every listener, though one throws, until it says enough', async () => {
    const { watch, changes, errors } = await started();
    const heard: string[] = [];
    watch.onChange(() => {
      throw new Error('a listener’s own error');
    });
    const stop = watch.onChange((rack, previous) => heard.push(`${previous.name} -> ${rack.name}`));
    const last = counter<string>();
    watch.onChange((rack) => last.add(rack.name));

    await writeFile(file, rackText('two'));
    await last.reach(1);
    stop();
    await writeFile(file, rackText('three'));
    await last.reach(2);

    expect(heard).toEqual(['one -> two']);
    expect(changes.seen).toEqual(['one -> two', 'two -> three']);
    expect(errors.seen.map(String)).toEqual([
      'Error: a listener’s own error',
      'Error: a listener’s own error',
    ]);
  });

  it('survives a check that fails by its own fault', async () => {
    const parse: typeof parseRack = (text, options) => {
      if (text.includes('boom')) throw new TypeError('undefined is not a function');
      return parseRack(text, options);
    };
    const { watch, rejected, changes } = await started({}, { parse });

    await writeFile(file, rackText('boom'));
    await rejected.reach(1);
    expect(watch.degraded[0]?.why).toContain('the check failed');

    await writeFile(file, rackText('two'));
    await changes.reach(1);
  });

  it('leaves nothing behind when closed', async () => {
    // What an earlier test still had to do may end meanwhile. A poll of vitest would have a timer itself.
    while (resources().length > 0) await turn();
    const { watch, changes } = await started();
    expect(resources()).not.toEqual([]);
    await writeFile(file, rackText('two'));

    await watch.close();
    const seen = changes.seen.length;

    expect(resources()).toEqual([]);
    await writeFile(file, rackText('three'));
    const other = await started();
    await writeFile(file, rackText('four'));
    await other.changes.reach(1);
    expect(changes.seen).toHaveLength(seen);
  });
});

describe('watchRack, the last good copy', () => {
  const copy = () => join(stateDir, 'rack.last-good.yaml');

  it('is the active text, for nobody else’s eyes', async () => {
    const text = `# with comments\n${rackText('one')}`;
    await writeFile(file, text);
    await started();

    expect(await readFile(copy(), 'utf8')).toBe(text);
    expect((await stat(copy())).mode & 0o777).toBe(0o600);
  });

  it('is written only when the active content changes', async () => {
    const first = await started();
    const { ino } = await stat(copy());
    await writeFile(file, invalid);
    await first.rejected.reach(1);
    await writeFile(file, rackText('one'));
    await first.reloads.reach(1);
    await first.watch.close();
    const second = await started();

    expect((await stat(copy())).ino).toBe(ino);

    await writeFile(file, rackText('two'));
    await second.changes.reach(1);
    await vi.waitFor(async () => expect(await readFile(copy(), 'utf8')).toBe(rackText('two')));
  });

  it.each([
    ['invalid', () => writeFile(file, invalid)],
    ['missing', () => rm(file)],
    ['in a folder that is missing', () => rm(join(folder, 'etc'), { recursive: true })],
  ])('stands in at a start with a file that is %s', async (_, spoil) => {
    await (await started()).watch.close();
    await spoil();

    const { watch, rejected, changes } = await started();

    expect(watch.rack.name).toBe('one');
    expect(watch.rack.dir).toBe(join(folder, 'etc'));
    expect(rejected.seen).toHaveLength(1);
    expect(watch.degraded).toEqual([
      {
        what: 'rack.yaml',
        why: expect.stringMatching(/^rejected: .*rack\.yaml.*; the last valid copy is active$/),
        since: expect.any(Date),
      },
    ]);

    await mkdir(join(folder, 'etc'), { recursive: true });
    await writeFile(file, rackText('two'));
    await changes.reach(1);
    expect(watch.degraded).toEqual([]);
    expect(rejected.seen).toHaveLength(1);
  });

  it('stands in until the file is what it was', async () => {
    await (await started()).watch.close();
    await writeFile(file, invalid);
    const { watch, reloads, changes } = await started();

    await writeFile(file, rackText('one'));
    await reloads.reach(1);

    expect(watch.degraded).toEqual([]);
    expect(changes.seen).toEqual([]);
  });

  it('does not stand in when the file becomes valid a moment later', async () => {
    await (await started()).watch.close();
    await writeFile(file, invalid);
    const parse: typeof parseRack = (text, options) => {
      if (text === invalid) setTimeout(() => writeFileSync(file, rackText('two')), 20);
      return parseRack(text, options);
    };

    const { watch, rejected } = await started({ recheck: 500 }, { parse });

    expect(watch.rack.name).toBe('two');
    expect(rejected.seen).toEqual([]);
  });

  it('is missed: without it an invalid or missing file is an error', async () => {
    await writeFile(file, invalid);
    await expect(started()).rejects.toBeInstanceOf(RackError);

    await rm(file);
    await expect(started()).rejects.toBeInstanceOf(RackError);
    await expect(started()).rejects.toThrow(file);
  });

  it('is of no use when it is invalid itself, say after an update', async () => {
    await mkdir(stateDir);
    await writeFile(copy(), invalid);
    await writeFile(file, `# newer\n${invalid}`);
    const errors = counter<Error>();

    await expect(started({}, { onError: errors.add })).rejects.toBeInstanceOf(RackError);

    expect(errors.seen).toHaveLength(1);
    expect(errors.seen[0]?.message).toContain(copy());
  });

  it('that cannot be written is a degradation, and is written once it can be', async () => {
    await writeFile(stateDir, 'a file is in the way');

    const { watch, errors, changes } = await started({ retry: 10 });

    expect(watch.rack.name).toBe('one');
    expect(watch.degraded).toEqual([
      {
        what: 'last valid copy of rack.yaml',
        why: expect.stringContaining(stateDir),
        since: expect.any(Date),
      },
    ]);
    await writeFile(file, rackText('two'));
    await changes.reach(1);
    expect(watch.degraded).toHaveLength(1);

    await rm(stateDir);
    await vi.waitFor(() => expect(watch.degraded).toEqual([]));
    expect(await readFile(copy(), 'utf8')).toBe(rackText('two'));
    expect(new Set(errors.seen.map(String)).size).toBe(errors.seen.length);
  });
});

function rackText(name: string) {
  return `rack: ${name}\njumphost: { name: jumphost, address: 192.168.1.8 }\n`;
}

/** What kubelet does: a new folder, and `..data` swapped to it in one step. */
async function configMap(mount: string, version: string, text: string) {
  await mkdir(join(mount, version));
  await writeFile(join(mount, version, 'rack.yaml'), text);
  await symlink(version, join(mount, '..data_tmp'));
  await rename(join(mount, '..data_tmp'), join(mount, '..data'));
}

async function started(tuning: Partial<WatchTuning> = {}, options: Partial<WatchRackOptions> = {}) {
  const changes = counter<string>();
  const rejected = counter<RackError>();
  const reloads = counter<string>();
  const errors = counter<Error>();
  const watch = await watchRack({
    file,
    service: 'metadata-server',
    stateDir,
    onRejected: rejected.add,
    onReload: (rack: Rack) => reloads.add(rack.name),
    onError: errors.add,
    tuning: { poll: 10, settle: 10, recheck: 50, ...tuning },
    ...options,
  });
  open.push(watch);
  watch.onChange((rack, previous) => changes.add(`${previous.name} -> ${rack.name}`));
  return { watch, changes, rejected, reloads, errors };
}

/** Collects events, and waits for so many of them. */
function counter<T>() {
  const seen: T[] = [];
  let wake: () => void = () => undefined;
  return {
    seen,
    add(event: T) {
      seen.push(event);
      wake();
    },
    async reach(count: number) {
      while (seen.length < count) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    },
  };
}

function resources() {
  const ours = ['Timeout', 'FSEventWrap', 'FSReqPromise', 'FSReqCallback', 'FileHandle'];
  return process.getActiveResourcesInfo().filter((name) => ours.includes(name));
}
