import { execFileSync } from 'node:child_process';
import {
  appendFile,
  mkdir,
  readFile,
  rename,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { join } from 'node:path';
import { mountSmall, tempDir } from '@skolo/base/testing';
import { describe, expect, it, onTestFinished } from 'vitest';
import { decode } from '../message/decode.ts';
import type { Sink } from '../sink.ts';
import { flat, heartbeatMessage, numberedAlert } from '../testing/messages.ts';
import { sinkErrorOf } from '../testing/sink-error.ts';
import { createFileSink, type FileSinkOptions } from './file.ts';

async function start(options: Partial<FileSinkOptions> = {}) {
  const file = options.file ?? join(await tempDir(), 'alerts.jsonl');
  const sink = createFileSink({ name: 'file', file, maxBytes: 1e9, encodeAs: flat, ...options });
  onTestFinished(() => sink.close());
  return { file, sink };
}

async function send(sink: Sink, ...numbers: number[]): Promise<void> {
  const messages = numbers.map((n) => numberedAlert(n));
  await sink.send(messages, 'file', new AbortController().signal);
}

/** The numbers of the alerts in it; undefined for lines that are not ours. */
async function numbersIn(file: string): Promise<(number | undefined)[]> {
  const lines = (await readFile(file, 'utf8')).split('\n').slice(0, -1);
  return lines.map((line) => {
    try {
      return Number(JSON.parse(line).message.n);
    } catch {
      return undefined;
    }
  });
}

describe('the file', () => {
  it('gets a line for each message, with its attributes', async () => {
    const { file, sink } = await start();

    await send(sink, 1, 2);
    await sink.send([heartbeatMessage()], '', new AbortController().signal);

    const lines = (await readFile(file, 'utf8')).trimEnd().split('\n');
    const decoded = lines.map((line) => {
      const { message, attributes } = JSON.parse(line);
      return decode(JSON.stringify(message), attributes);
    });
    expect(decoded).toMatchObject([
      { kind: 'transition', id: numberedAlert(1).id, values: { n: '1' } },
      { kind: 'transition', id: numberedAlert(2).id, values: { n: '2' } },
      { kind: 'heartbeat' },
    ]);
    expect((await stat(file)).mode & 0o027).toBe(0);
  });

  it('keeps the order of concurrent sends', async () => {
    const { file, sink } = await start();

    await Promise.all(Array.from({ length: 20 }, (_, n) => send(sink, 2 * n, 2 * n + 1)));

    expect(await numbersIn(file)).toEqual(Array.from({ length: 40 }, (_, n) => n));
  });

  it('is set aside when it is full, and nothing gets lost between', async () => {
    const { file, sink } = await start({ maxBytes: 3000 });

    for (let n = 0; n < 9; n += 1) await send(sink, n);

    const [before, now] = [await numbersIn(`${file}.1`), await numbersIn(file)];
    expect(before.length).toBeGreaterThan(1);
    expect([...before, ...now]).toEqual(
      Array.from(
        { length: before.length + now.length },
        (_, n) => 9 - before.length - now.length + n,
      ),
    );
    expect((await stat(`${file}.1`)).size).toBeLessThanOrEqual(3000);
  });

  it('writes a message larger than the limit to a file of its own', async () => {
    const { file, sink } = await start({ maxBytes: 10 });

    await send(sink, 1);
    await send(sink, 2);

    expect([await numbersIn(`${file}.1`), await numbersIn(file)]).toEqual([[1], [2]]);
  });

  it('may be moved away, or removed, by another process', async () => {
    const { file, sink } = await start();
    await send(sink, 1);

    await rename(file, `${file}.old`);
    await send(sink, 2);
    await rm(file);
    await send(sink, 3);

    expect([await numbersIn(`${file}.old`), await numbersIn(file)]).toEqual([[1], [3]]);
  });

  it('continues on a new line after a killed process left half a line', async () => {
    const { file, sink } = await start();
    await send(sink, 1);
    await appendFile(file, '{"attributes":{"id":"00');

    await send(sink, 2);

    expect(await numbersIn(file)).toEqual([1, undefined, 2]);
  });

  it('may be a link', async () => {
    const folder = await tempDir();
    await writeFile(join(folder, 'target'), '');
    await symlink('target', join(folder, 'link'));
    const { sink } = await start({ file: join(folder, 'link') });

    await send(sink, 1);

    expect(await numbersIn(join(folder, 'target'))).toEqual([1]);
  });
});

describe('a failure', () => {
  it('is a folder that is not there: it is not made, since its disk may be missing', async () => {
    const folder = await tempDir();
    const { file, sink } = await start({ file: join(folder, 'mount', 'alerts.jsonl') });

    const error = await sinkErrorOf(send(sink, 1));
    await mkdir(join(folder, 'mount'));
    await send(sink, 1);

    expect(error).toMatchObject({ reason: 'topic', code: 'ENOENT' });
    expect(error.message).toContain(file);
    expect(error.message).toContain('create it');
    expect(await numbersIn(file)).toEqual([1]);
  });

  it('is something else of that name', async () => {
    const folder = await tempDir();
    await writeFile(join(folder, 'plain'), '');
    execFileSync('mkfifo', [join(folder, 'pipe')]);

    for (const file of [folder, join(folder, 'pipe'), join(folder, 'plain', 'alerts.jsonl')]) {
      const { sink } = await start({ file });
      expect(await sinkErrorOf(send(sink, 1))).toMatchObject({ reason: 'topic' });
    }
  });

  it('is that it was ended before its turn', async () => {
    const { file, sink } = await start();
    const ending = new AbortController();

    const first = send(sink, 1);
    const second = sinkErrorOf(sink.send([numberedAlert(2)], 'file', ending.signal));
    ending.abort();

    await first;
    expect(await second).toMatchObject({ code: 'ABORTED' });
    expect(await numbersIn(file)).toEqual([1]);
  });

  it('is a full disk: nothing is written, and it continues when there is space', async (context) => {
    const folder = await tempDir();
    await mountSmall(context, folder, 'size=64k');
    const { file, sink } = await start({ file: join(folder, 'alerts.jsonl') });
    await send(sink, 1);
    await writeFile(join(folder, 'ballast'), Buffer.alloc(60 * 1024)).catch(() => undefined);
    const before = await readFile(file);

    const many = Array.from({ length: 200 }, (_, n) => n);
    const error = await sinkErrorOf(send(sink, ...many));
    const after = await readFile(file);
    await rm(join(folder, 'ballast'));
    await send(sink, 2);

    expect(error).toMatchObject({ reason: 'disk', code: 'ENOSPC' });
    expect(error.message).toContain('free some space');
    expect(after.equals(before)).toBe(true);
    expect(await numbersIn(file)).toEqual([1, 2]);
  });
});
