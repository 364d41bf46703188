/** Reads the audit log from its end, over as many segments as required, but never a whole one into memory. */
import { open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { AuditEntry, type AuditPage, type auditApi } from '@skolo/api/audit-log';
import type { RouteRequest } from '@skolo/api/route';
import { ifThere, parseJson } from '@skolo/base';
import { linesBackwards } from '@skolo/base/durable';

export type AuditQuery = RouteRequest<(typeof auditApi)['audit']>['query'];

const segmentName = /^(\d{4}-\d{2})\.jsonl$/;
/** Time limit of a request, so that a rare name in a large log does not keep callers waiting. */
const mostBytes = 4 * 1024 * 1024;

/** Months with a segment, oldest first. */
export async function segmentsOf(dir: string): Promise<string[]> {
  const names = (await ifThere(readdir(dir))) ?? [];
  return names.flatMap((name) => segmentName.exec(name)?.[1] ?? []).sort();
}

/** @param dir directory of the segments */
export async function readAudit(dir: string, query: AuditQuery): Promise<AuditPage> {
  const [month, offset] = query.before?.split('.') ?? [];
  const page: AuditPage = { entries: [], skipped: 0 };
  const segments = await segmentsOf(dir);
  let bytes = 0;
  for (const segment of segments.filter((each) => month === undefined || each <= month).reverse()) {
    await using file = await open(join(dir, `${segment}.jsonl`));
    const { size } = await file.stat();
    const end = segment === month ? Math.min(Number(offset), size) : size;
    for await (const { line, start } of linesBackwards(file, end)) {
      if (line === '') continue;
      bytes += line.length;
      const entry = AuditEntry.safeParse(parseJson(line)).data;
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
