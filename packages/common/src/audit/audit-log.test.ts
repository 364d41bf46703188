import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFile, mkdir, open, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { StorageUnavailable } from '@skolo/base/durable';
import { anyCharacter } from '@skolo/base/durable/any-character';
import { isLong } from '@skolo/base/durable/fault-injection';
import { mountSmall, run, runs, tempDir } from '@skolo/base/testing';
import fc from 'fast-check';
import { Registry } from 'prom-client';
import { describe, expect, it } from 'vitest';
import { fakeClock } from '../testing/fake-clock.ts';
import { memoryDegraded } from '../testing/memory-degraded.ts';
import { AuditLog } from './audit-log.ts';
import { segmentsOf } from './reader.ts';

const entry = {
  who: 'ann',
  role: 'operate',
  what: 'cycle',
  target: 'rpi-1',
  outcome: 'done',
} as const;

function openLog(dir: string, deps: Omit<ConstructorParameters<typeof AuditLog>[1], 'metrics'>) {
  return new AuditLog(dir, { ...deps, metrics: new Registry() });
}

async function newLog(time = '2026-11-20T07:30:00Z', folder?: string) {
  const dir = join(folder ?? (await tempDir()), 'state', 'audit');
  const clock = fakeClock(time);
  const degraded = memoryDegraded();
  return { dir, clock, degraded, audit: openLog(dir, { clock, degraded }) };
}

/** All entries, oldest first. */
async function all(audit: AuditLog) {
  const { entries, skipped } = await audit.read({ limit: Number.MAX_SAFE_INTEGER });
  return { entries: entries.reverse(), skipped };
}

describe('append', () => {
  it('writes one line into the segment of the month, for nobody else to read', async () => {
    const { audit, dir } = await newLog();

    await audit.append({ ...entry, from: '10.0.0.1', why: 'two\nlines', requestId: 'r1' });

    const file = join(dir, '2026-11.jsonl');
    expect(JSON.parse(await readFile(file, 'utf8'))).toEqual({
      time: '2026-11-20T07:30:00.000Z',
      ...entry,
      from: '10.0.0.1',
      why: 'two\nlines',
      requestId: 'r1',
    });
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect((await stat(dir)).mode & 0o777).toBe(0o700);
  });

  const text = fc.string({ unit: anyCharacter, maxLength: 99 });
  const input = fc.dictionary(fc.stringMatching(/^[a-z]+$/), text);
  const anyEntry = fc.record(
    { who: text, what: text, outcome: text, from: text, why: text, target: text, input },
    { requiredKeys: ['who', 'what', 'outcome'] },
  );

  it('of many at once keeps their order, and each as it was', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(anyEntry), async (entries) => {
        const { audit } = await newLog();

        await Promise.all(entries.map((each) => audit.append(each)));

        const time = '2026-11-20T07:30:00.000Z';
        const written = entries.map((each) => ({ time, ...each }));
        expect(await all(audit)).toEqual({ entries: written, skipped: 0 });
      }),
      runs(50),
    );
  });

  it('begins a segment with each month', async () => {
    const { audit, clock, dir } = await newLog('2026-11-30T23:59:59.999Z');

    await audit.append(entry);
    clock.pass(1);
    await audit.append(entry);

    expect(await segmentsOf(dir)).toEqual(['2026-11', '2026-12']);
    expect((await all(audit)).entries).toHaveLength(2);
  });

  it('rejects when the disk is full, says so, and recovers', async () => {
    const { audit, clock, dir, degraded } = await newLog();
    await mkdir(dir, { recursive: true });
    await symlink('/dev/full', join(dir, '2026-11.jsonl'));

    const rejected = audit.append(entry);

    await expect(rejected).rejects.toThrow(StorageUnavailable);
    await expect(rejected).rejects.toThrow(
      `${dir}: changes are rejected, because the audit log cannot be written: the disk is full (ENOSPC)`,
    );
    expect(degraded.raised.get('audit log')).toContain('the disk is full');
    expect(degraded.codes.get('audit log')).toBe('disk-full');
    clock.pass(30 * 86_400_000);
    await audit.append(entry);
    expect(degraded.raised.size).toBe(0);
  });

  it('says so as long as one change of several at once is rejected', async (context) => {
    const disk = await tempDir();
    await mountSmall(context, disk, 'size=32k');
    const { audit, degraded } = await newLog(undefined, disk);
    const large = { ...entry, target: 'x'.repeat(60_000) };

    const together = await Promise.allSettled([audit.append(large), audit.append(entry)]);

    expect(together.map(({ status }) => status)).toEqual(['rejected', 'fulfilled']);
    expect(degraded.raised.get('audit log')).toContain('ENOSPC');
    await audit.append(entry);
    expect(degraded.raised.size).toBe(0);
  });

  it('rejects when its folder cannot be made', async () => {
    const file = join(await tempDir(), 'a-file');
    await writeFile(file, '');
    const deps = { clock: fakeClock(0), degraded: memoryDegraded() };

    const rejected = openLog(join(file, 'audit'), deps).append(entry);

    await expect(rejected).rejects.toThrow(StorageUnavailable);
  });

  it('cuts texts whose length the caller chose, and keeps the names of a thousand machines', async () => {
    const { audit, dir } = await newLog();
    const target = Array.from({ length: 1000 }, (_, at) => `a-machine-with-a-long-name-${at}`).join(
      ' ',
    );
    const long = 'x'.repeat(1_000_000);

    await audit.append({ ...entry, target, why: long, input: { text: [long] } });
    await audit.append({ ...entry, target: long });

    const { entries } = await all(audit);
    expect(entries[0]?.target).toBe(target);
    expect(entries[0]?.why).toMatch(/^x{4000}… \(1000000 characters\)$/);
    expect((await stat(join(dir, '2026-11.jsonl'))).size).toBeLessThan(120_000);
  });

  it('does not add to a line that a crash cut', async () => {
    const { audit, dir } = await newLog();
    await audit.append(entry);
    await appendFile(join(dir, '2026-11.jsonl'), '{"time":"2026-11-20T07:31:00Z","who":"bo');

    await audit.append({ ...entry, who: 'cid' });

    const { entries, skipped } = await all(audit);
    expect(entries.map(({ who }) => who)).toEqual(['ann', 'cid']);
    expect(skipped).toBe(1);
  });
});

describe('note', () => {
  const signIn = { ...entry, what: 'signIn' };

  it('does not wait for a full disk, and writes each line once when there is space', async () => {
    const { audit, clock, dir } = await newLog();
    await mkdir(dir, { recursive: true });
    await symlink('/dev/full', join(dir, '2026-11.jsonl'));

    const notes = await Promise.all([audit.note(signIn), audit.note({ ...signIn, who: 'bob' })]);

    expect(notes.map(({ isWritten }) => isWritten)).toEqual([false, false]);
    expect(audit.unavailable.message).toContain('the disk is full');
    clock.pass(60_000);
    await rm(join(dir, '2026-11.jsonl'));
    await expect.poll(() => notes.every(({ isWritten }) => isWritten)).toBe(true);
    const { entries } = await all(audit);
    expect(entries.map(({ who }) => who).sort()).toEqual(['ann', 'bob']);
    expect(entries[0]?.time).toBe('2026-11-20T07:30:00.000Z');
  });

  it('does not wait for a disk that does not respond', async () => {
    const { audit, dir } = await newLog();
    const file = join(dir, '2026-11.jsonl');
    await mkdir(dir, { recursive: true });
    // To open it for writing blocks until somebody reads.
    await run('mkfifo', [file]);

    const noted = await audit.note(signIn);

    expect(noted.isWritten).toBe(false);
    expect(audit.unavailable.message).toContain('the disk does not respond');
    await using reader = await open(file, 'r+');
    await audit.close();
    expect((await reader.read()).buffer.toString()).toContain('"what":"signIn"');
  });

  it('keeps the line of each caller, however many another one has', async () => {
    const { audit, dir } = await newLog();
    await mkdir(dir, { recursive: true });
    await symlink('/dev/full', join(dir, '2026-11.jsonl'));
    const ann = await audit.note(signIn);

    const many = await Promise.all(
      Array.from({ length: 1100 }, () => audit.note({ ...signIn, who: 'eve' })),
    );

    await rm(join(dir, '2026-11.jsonl'));
    await audit.close();
    expect(ann.isWritten).toBe(true);
    expect(many.filter(({ isWritten }) => isWritten)).toHaveLength(999);
  });

  it('limits a caller', async () => {
    const { audit } = await newLog();
    const large = { ...signIn, target: 'x'.repeat(64_000) };

    const all = await Promise.allSettled(Array.from({ length: 100 }, () => audit.note(large)));

    expect(all.at(-1)).toMatchObject({ reason: { status: 429 } });
  });
});

describe('read', () => {
  async function written(count: number) {
    const { audit, clock, dir } = await newLog('2026-10-31T12:00:00Z');
    for (let i = 0; i < count; i += 1) {
      await audit.append({ ...entry, who: i % 3 ? 'ann' : 'Bob', target: `rpi-${i}` });
      clock.pass(3_600_000);
    }
    return { audit, dir };
  }

  it('gives pages from the newest to the oldest, over segments, while others are added', async () => {
    const { audit } = await written(30);
    const targets: (string | undefined)[] = [];
    let before: string | undefined;

    do {
      const page = await audit.read({ limit: 7, before });
      targets.push(...page.entries.map(({ target }) => target));
      expect(page.older?.time).toBe(page.older && page.entries.at(-1)?.time);
      before = page.older?.before;
      await audit.append({ ...entry, target: 'later' });
    } while (before !== undefined);

    expect(targets).toEqual(Array.from({ length: 30 }, (_, i) => `rpi-${29 - i}`));
  });

  it.each([
    [{ who: 'bob' }, 10],
    [{ who: 'bob', text: 'rpi-2' }, 3],
    [{ text: 'CYCLE rpi-29' }, 1],
    [{ text: 'nothing of that' }, 0],
  ])('finds %o', async (filter, count) => {
    const { audit } = await written(30);

    const { entries, older } = await audit.read({ limit: 100, ...filter });

    expect(entries).toHaveLength(count);
    expect(older).toBeUndefined();
  });

  it('skips and counts damaged lines, lines across chunks and a hole of the file among them', async () => {
    const { audit, dir } = await written(2);
    const file = join(dir, '2026-10.jsonl');
    await audit.append({ ...entry, target: 'é'.repeat(60_000) });
    await appendFile(file, `${'\0'.repeat(3_000_000)}\n{"time":1}\n\n`);
    await audit.append(entry);

    const { entries, skipped } = await all(audit);

    expect(entries.map(({ target }) => target?.length)).toEqual([5, 5, 60_000, 5]);
    expect(skipped).toBe(4);
  });

  it('stops a long search, and continues it', async () => {
    const { audit, dir } = await written(1);
    const line = JSON.stringify({ time: '2026-10-31T13:00:00Z', ...entry, why: 'x'.repeat(900) });
    await appendFile(join(dir, '2026-10.jsonl'), `${line}\n`.repeat(5000));

    const first = await audit.read({ limit: 10, who: 'bob' });
    const second = await audit.read({ limit: 10, who: 'bob', before: first.older?.before });

    expect([first.entries, first.older?.time]).toEqual([[], '2026-10-31T13:00:00Z']);
    expect(second.entries).toHaveLength(1);
  });

  it('is empty where nothing was ever changed', async () => {
    const { audit } = await newLog();

    expect(await audit.read({ limit: 1 })).toEqual({ entries: [], skipped: 0 });
  });
});

describe('old segments', () => {
  const day = 86_400_000;

  /** A log with a line each 30 days, 2026-11 the first. */
  async function aged(days: number) {
    const log = await newLog();
    for (let passed = 0; passed <= days; passed += 30) {
      await log.audit.append({ ...entry, target: `day ${passed}` });
      if (passed + 30 <= days) log.clock.pass(30 * day);
    }
    return log;
  }

  it('go when the computer has run for 400 days since their last line', async () => {
    const { audit, clock, dir } = await aged(390);
    expect((await segmentsOf(dir))[0]).toBe('2026-11');

    clock.pass(11 * day);
    await audit.append(entry);

    const kept = await segmentsOf(dir);
    expect([kept[0], kept.length]).toEqual(['2026-12', 13]);
  });

  it.each([
    ['ahead in two steps', ['2040-01-31T12:00:00Z', '2040-02-01T12:00:00Z']],
    ['ahead and back', ['2040-01-31T12:00:00Z', '2027-01-15T00:00:00Z', '2040-03-01T00:00:00Z']],
    ['to 1970', ['1970-01-01T00:00:00Z', '1970-02-01T00:00:00Z', '2027-01-15T00:00:00Z']],
    [
      'through two years',
      Array.from({ length: 24 }, (_, month) => new Date(Date.UTC(2030, month)).toISOString()),
    ],
  ])('stay when the wall clock jumps %s, also after a restart', async (_how, jumps) => {
    const { audit, clock, dir, degraded } = await aged(60);

    for (const time of jumps) {
      clock.setWall(time);
      await audit.append(entry);
    }
    await openLog(dir, { clock, degraded }).append(entry);

    expect(await segmentsOf(dir)).toEqual(
      expect.arrayContaining(['2026-11', '2026-12', '2027-01']),
    );
    const { entries } = await all(audit);
    expect(entries.filter(({ target }) => target?.startsWith('day'))).toHaveLength(3);
  });

  it('do not age while the computer is off, or on a computer that has run for longer', async () => {
    const { clock, dir, degraded } = await aged(0);
    const first = openLog(dir, { clock, degraded, bootId: 'first' });
    await first.append(entry);

    for (const [bootId, uptime] of [
      ['second', 500 * 86_400],
      ['third', 5],
    ] as const) {
      const other = fakeClock('2028-06-01T00:00:00Z', uptime);
      await openLog(dir, { clock: other, degraded, bootId }).append(entry);
    }

    expect(await segmentsOf(dir)).toEqual(['2026-11', '2028-06']);
  });

  it('that are not known yet age from their first observation, a broken file of ages included', async () => {
    const { audit, clock, dir } = await newLog();
    await mkdir(dir, { recursive: true });
    await writeFile(join(dir, '2020-03.jsonl'), '');
    await writeFile(join(dir, 'retention.json'), '{"seconds":1e9,');
    await audit.append(entry);
    clock.pass(399 * day);
    await audit.append(entry);
    expect((await segmentsOf(dir))[0]).toBe('2020-03');

    clock.pass(day);
    await audit.append(entry);

    expect((await segmentsOf(dir))[0]).toBe('2027-12');
  });
});

describe('the limit of changes', () => {
  const usual = {
    who: 'ann',
    role: 'operate' as const,
    what: 'addHold',
    target: 'rpi-001',
    why: 'the flash memory is worn out, see the ticket',
    requestId: '01f6b1a3-7b1f-4a3c-9a55-d2c0f1f0a6f3',
    from: '192.168.1.20',
    outcome: 'begun',
  };

  it('does not reach ten commands over 300 machines, one machine after the other', async () => {
    const { audit } = await newLog();

    const begun = Array.from({ length: 3000 }, (_, machine) =>
      audit.appendLimited({ ...usual, target: `rpi-${machine}` }),
    );

    await expect(Promise.all(begun)).resolves.toHaveLength(3000);
  });

  it('does not reach a change each second for an hour after these', async () => {
    const { audit, clock } = await newLog();
    const begun: Promise<void>[] = [];

    for (let second = 0; second < 3600; second += 1) {
      begun.push(audit.appendLimited(usual));
      clock.pass(1000);
    }

    await expect(Promise.all(begun)).resolves.toHaveLength(3600);
  });
});

const writer = fileURLToPath(new URL('../testing/audit-writer.ts', import.meta.url));

it('kill -9 takes no line that was acknowledged', async () => {
  const dir = join(await tempDir(), 'audit');
  const acknowledged: string[] = [];

  const kills = isLong ? [1, 40, 7, 100, 3] : [40, 100];
  for (const killAfter of kills) {
    const child = spawn(process.execPath, [writer, dir, '4'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let printed = '';
    for await (const chunk of child.stdout) {
      printed += chunk;
      if (printed.split('\n').length > killAfter) child.kill('SIGKILL');
    }
    if (child.signalCode === null) await once(child, 'exit');
    acknowledged.push(...printed.split('\n').slice(0, -1));
  }

  const log = openLog(dir, { clock: fakeClock(0), degraded: memoryDegraded() });
  const { entries, skipped } = await all(log);
  const counts = countEach(entries.map(({ target }) => target ?? ''));
  for (const [target, times] of countEach(acknowledged)) {
    expect(counts.get(target), target).toBeGreaterThanOrEqual(times);
  }
  expect(acknowledged.length).toBeGreaterThanOrEqual(kills.reduce((sum, lines) => sum + lines));
  expect(skipped).toBeLessThanOrEqual(kills.length);
});

function countEach(values: string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return counts;
}
