/**
 * Uploads in one request: `uploadType=multipart` (metadata and content).
 *
 * Source: https://cloud.google.com/storage/docs/uploading-objects, json_api/v1/objects/insert
 */
import type { IncomingHttpHeaders } from 'node:http';
import type { Arrived } from './arrived.ts';
import type { ObjectMetadata } from './bucket.ts';
import { parseMetadata } from './objects.ts';
import { invalid, Rejection } from './rejection.ts';

interface Upload {
  name: string;
  about: ObjectMetadata;
  content: Buffer;
}

/** @throws Rejection 400 */
export function readInsert({ query, headers }: Arrived, body: Buffer): Upload {
  const type = headers['content-type'] ?? '';
  if (query.get('uploadType') !== 'multipart') throw invalid('Invalid upload type.');
  const boundary = /^multipart\/related;.*boundary="?(?<boundary>[^";]+)"?/i.exec(type)?.groups;
  if (!boundary?.boundary) throw invalid('Multipart request without a boundary.');
  const [metadata, media, ...others] = partsOf(body, boundary.boundary);
  if (!metadata || !media || others.length > 0) {
    throw invalid('Multipart request has not exactly two parts.');
  }
  const about = {
    ...(media.type && { contentType: media.type }),
    ...parseMetadata(metadata.content),
    ...hashesOf(headers),
  };
  return { name: nameOf(query, about), about, content: media.content };
}

/** @throws Rejection 400 */
export function nameOf(query: URLSearchParams, about: ObjectMetadata): string {
  const name = query.get('name') ?? about.name;
  if (!name) throw new Rejection(400, 'required', 'Required object name missing.');
  return name;
}

/** The checksum that the client says the content has. */
export function hashesOf(headers: IncomingHttpHeaders): ObjectMetadata {
  const said = [headers['x-goog-hash'] ?? []].flat().join(',');
  const md5Hash = /(?:^|,)md5=(?<sum>[^,]+)/.exec(said)?.groups?.sum;
  return md5Hash === undefined ? {} : { md5Hash };
}

/** RFC 2046, 5.1: parts between `--boundary` lines; one that is not closed by `--boundary--` is cut. */
function partsOf(body: Buffer, boundary: string): { type: string; content: Buffer }[] {
  const delimiter = Buffer.from(`\r\n--${boundary}`);
  const whole = Buffer.concat([Buffer.from('\r\n'), body]);
  const starts: number[] = [];
  for (let at = whole.indexOf(delimiter); at >= 0; at = whole.indexOf(delimiter, at + 1)) {
    starts.push(at);
  }
  const last = starts.at(-1);
  const end = last === undefined ? '' : whole.toString('latin1', last + delimiter.length);
  if (!end.startsWith('--')) throw invalid('Multipart request is not closed.');
  return starts.slice(0, -1).map((start, index) => {
    const part = whole.subarray(start + delimiter.length + 2, starts[index + 1]);
    const blank = part.indexOf('\r\n\r\n');
    if (blank < 0) throw invalid('Multipart request has a part without headers.');
    const headers = part.toString('latin1', 0, blank);
    const type = /^content-type: *(?<type>.+?) *$/im.exec(headers)?.groups?.type ?? '';
    return { type, content: part.subarray(blank + 4) };
  });
}
