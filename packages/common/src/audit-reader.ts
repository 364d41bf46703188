/** Reads the audit log from its end, over as many segments as it needs, and never a whole one into memory. */
import { type FileHandle, open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { AuditEntry, type AuditPage, type auditApi } from '@skolo/api/audit';
import type { RouteRequest } from '@skolo/api/route';
import { errorCode } from '@skolo/errors';

export type AuditQuery = RouteRequest<(typeof auditApi)['audit']>['query'];

const segmentName = /^(\d{4}-\d{2})\.jsonl$/;
/** Of a request, so that a rare name in a large log keeps nobody waiting. */
const mostBytes = 4 * 1024 * 1024;
const chunkBytes = 64 * 1024;
/** Longer than any line: a file system may have filled a gap of the file with zeros. */
const longestLine = 1024 * 1024;

/** Months with a segment, oldest first. */
export async function segmentsOf(dir: string): Promise<string[]> {
  const names = await readdir(dir).catch((error: unknown) => {
    if (errorCode(error) === 'ENOENT') return [];
    throw error;
  });
  return names.flatMap((name) => segmentName.exec(name)?.[1] ?? []).sort();
}

/** @param dir folder of the segments */
export async function readAudit(dir: string, query: AuditQuery): Promise<AuditPage> {
  const [month, offset] = query.before?.split('.') ?? [];
  const page: AuditPage = { entries: [], skipped: 0 };
  const segments = await segmentsOf(dir);
  let bytes = 0;
  for (const segment of segments.filter((each) => month === undefined || each <= month).reverse()) {
    const end = segment === month ? Number(offset) : Number.POSITIVE_INFINITY;
    for await (const { line, start } of linesBackwards(join(dir, `${segment}.jsonl`), end)) {
      if (line === '') continue;
      bytes += line.length;
      const entry = parseLine(line);
      if (entry === undefined) page.skipped += 1;
      else if (fits(entry, query)) page.entries.push(entry);
      const isOldest = start === 0 && segment === segments[0];
      const isFull = page.entries.length === query.limit || bytes > mostBytes;
      if (isFull && entry !== undefined && !isOldest) {
        return { ...page, older: { before: `${segment}.${start}`, time: entry.time } };
      }
    }
  }
  return page;
}

/** Lines before a byte, each with the byte that it starts at. */
async function* linesBackwards(
  file: string,
  end: number,
): AsyncGenerator<{ line: string; start: number }> {
  const handle = await open(file);
  try {
    let position = Math.min(end, (await handle.stat()).size);
    let rest: Buffer = Buffer.alloc(0);
    while (position > 0) {
      const size = Math.min(chunkBytes, position);
      position -= size;
      rest = Buffer.concat([await readFully(handle, position, size), rest]);
      for (let at = rest.lastIndexOf('\n'); at >= 0; at = rest.lastIndexOf('\n')) {
        yield { line: rest.toString('utf8', at + 1), start: position + at + 1 };
        rest = rest.subarray(0, at);
      }
      if (rest.length > longestLine) {
        yield { line: rest.toString('utf8'), start: position };
        rest = Buffer.alloc(0);
      }
    }
    yield { line: rest.toString('utf8'), start: 0 };
  } finally {
    await handle.close();
  }
}

async function readFully(handle: FileHandle, position: number, size: number): Promise<Buffer> {
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(size), 0, size, position);
  return buffer.subarray(0, bytesRead);
}

function parseLine(line: string): AuditEntry | undefined {
  try {
    return AuditEntry.safeParse(JSON.parse(line)).data;
  } catch {
    return undefined;
  }
}

function fits({ who, ...rest }: AuditEntry, { who: name = '', text = '' }: AuditQuery): boolean {
  if (!who.toLowerCase().includes(name.toLowerCase())) return false;
  const { what, target, why, outcome, from, input, answer, requestId } = rest;
  const fields = [what, target, why, outcome, from, requestId, ...[input, answer].map(textOf)];
  const all = fields.join('\n').toLowerCase();
  return text
    .toLowerCase()
    .split(/\s+/)
    .every((word) => all.includes(word));
}

function textOf(value: unknown): string {
  return value === undefined ? '' : JSON.stringify(value);
}
