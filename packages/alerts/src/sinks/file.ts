/**
 * Writes alerts to a file with a JSON object on each line, and decides when the file is rotated (`maxBytes`):
 * `{"attributes":{…},"message":{…}}`. `flat` alone has neither time nor id.
 *
 * The file is opened for each send, so logrotate may move it at any time.
 */
import { Buffer } from 'node:buffer';
import { rename, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { errorCode, errorText, ifThere, inOrder } from '@skolo/base';
import { appendLines, syncFolder } from '@skolo/base/durable';
import { type EncodeAs, encode } from '../message/encode.ts';
import type { Message } from '../message/message.ts';
import { type Sink, SinkError, type SinkReason } from '../sink.ts';

export interface FileSinkOptions {
  name: string;
  /** Absolute. Its directory must exist: an unmounted disk must not look like an empty directory. */
  file: string;
  /** At this size, the file becomes FILE.1. */
  maxBytes: number;
  encodeAs: EncodeAs;
}

/** Mode of a new file: log collectors run in a group that the operator chooses. */
const mode = 0o640;

export function createFileSink({ name, file, maxBytes, encodeAs }: FileSinkOptions): Sink {
  // Heartbeats are sent at the same time as messages.
  const turns = inOrder();
  return {
    name,
    limits: { orderingKeys: 1, messages: 1000 },
    orderingKeyOf: () => 'file',
    async send(messages, _key, signal) {
      const lines = messages.map((message) => lineOf(message, encodeAs)).join('');
      await turns(async () => {
        if (signal.aborted) {
          throw new SinkError(
            'unavailable',
            'ABORTED',
            `${file}: writing was cancelled before it began`,
          );
        }
        await append(file, Buffer.from(lines), maxBytes);
      });
    },
    close: () => turns(async () => undefined),
  };
}

function lineOf(message: Message, as: EncodeAs): string {
  const { json, attributes } = encode(message, as);
  return `{"attributes":${JSON.stringify(attributes)},"message":${json}}\n`;
}

/** Writes all of it to the disk, or nothing. */
async function append(file: string, lines: Buffer, maxBytes: number): Promise<void> {
  try {
    const size = await sizeOf(file);
    const isFull = size !== undefined && size > 0 && size + lines.length > maxBytes;
    if (isFull) await rename(file, `${file}.1`);
    await appendLines(file, lines, mode);
    if (isFull || size === undefined) await syncFolder(dirname(file));
  } catch (error) {
    throw error instanceof SinkError ? error : fileError(file, error);
  }
}

/** Undefined if there is none. Opening a pipe would wait for its reader. */
async function sizeOf(file: string): Promise<number | undefined> {
  const found = await ifThere(stat(file));
  if (found === undefined || found.isFile()) return found?.size;
  throw new SinkError(
    'topic',
    'NOT_A_FILE',
    `${file}: not a regular file; specify another file in rack.yaml`,
  );
}

interface Kind {
  reason: SinkReason;
  text: string;
}

const kinds: Record<string, Kind> = {
  ENOSPC: { reason: 'disk', text: 'the disk is full; free some space' },
  EDQUOT: {
    reason: 'disk',
    text: 'the disk quota is exhausted; free some space, or raise the quota',
  },
  EFBIG: {
    reason: 'disk',
    text: "the file has reached the system's maximum file size; lower the sink's maxBytes",
  },
  EROFS: {
    reason: 'disk',
    text: 'the disk is read-only; check it for errors, and then remount it',
  },
  EIO: { reason: 'disk', text: 'the disk reports an I/O error; replace it' },
  ENOENT: { reason: 'topic', text: 'the directory is missing; create it, or mount its disk' },
  ENOTDIR: { reason: 'topic', text: 'part of the path is a file; fix the path in rack.yaml' },
  EACCES: {
    reason: 'permission',
    text: 'permission denied; change the owner or mode of the file',
  },
  EPERM: {
    reason: 'permission',
    text: 'permission denied; change the owner or mode of the file',
  },
};

function fileError(file: string, error: unknown): SinkError {
  const code = errorCode(error) ?? 'UNKNOWN';
  const { reason, text } = kinds[code] ?? { reason: 'disk' as const, text: errorText(error) };
  return new SinkError(reason, code, `${file}: not written: ${text} (${code})`, { cause: error });
}
