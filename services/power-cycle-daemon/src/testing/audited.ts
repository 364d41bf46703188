/** The audit log of a daemon, all segments, oldest first. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { AuditEntry } from '@skolo/api';

export async function audited(stateDir: string): Promise<AuditEntry[]> {
  const dir = join(stateDir, 'audit');
  const entries: AuditEntry[] = [];
  const segments = (await readdir(dir)).filter((name) => name.endsWith('.jsonl'));
  for (const segment of segments.sort()) {
    const lines = (await readFile(join(dir, segment), 'utf8')).trim().split('\n');
    entries.push(...lines.map((line) => AuditEntry.parse(JSON.parse(line))));
  }
  return entries;
}
