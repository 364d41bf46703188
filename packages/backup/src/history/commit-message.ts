/** Commit messages of the history: a line for people, then trailers (`Key: value`), which `git log --format='%(trailers)'` shows. */
import { oneLine } from '@skolo/base';
import type { Version } from '../source.ts';

/** Who requested the version, when it was read, and from what. */
export interface CommitAbout {
  rack: string;
  model: string;
  run: string;
  /** RFC 3339: when it was read. */
  time: string;
  by: string;
  reason?: string | undefined;
  /** What the device reports about itself. */
  changedBy?: string | undefined;
  /** Replaces the history's own subject: `changed (+3 -1)`. */
  summary?: string;
}

interface Trailers extends Partial<Omit<CommitAbout, 'summary'>> {
  device?: string;
  size?: number | undefined;
  sha1?: string | undefined;
}

const longest = 1000;

export function commitMessage(subject: string, trailers: Trailers): string {
  const pairs: [string, string | number | undefined][] = [
    ['Rack', trailers.rack],
    ['Device', trailers.device],
    ['Model', trailers.model],
    ['Run', trailers.run],
    ['Read-At', trailers.time],
    ['By', trailers.by],
    ['Reason', trailers.reason],
    ['Changed-By', trailers.changedBy],
    ['Size', trailers.size],
    ['SHA1', trailers.sha1],
  ];
  const lines = pairs.flatMap(([key, value]) => {
    const text = oneLine(String(value ?? ''), longest);
    return text === '' ? [] : [`${key}: ${text}`];
  });
  return `${oneLine(subject, longest)}\n\n${lines.join('\n')}\n`;
}

export interface Commit {
  id: string;
  /** Seconds since 1970. */
  committedAt: number;
  message: string;
}

/** The commit as a version of a device. Missing fields, as in a commit made by hand, are undefined. */
export function versionOf({ id, committedAt, message }: Commit, device: string): Version {
  const paragraphs = message.trimEnd().split('\n\n');
  const said = new Map<string, string>();
  for (const line of (paragraphs.at(-1) ?? '').split('\n')) {
    const [, key, value] = /^([A-Za-z0-9-]+): (.*)$/.exec(line) ?? [];
    if (key !== undefined && value !== undefined) said.set(key, value);
  }
  const size = said.get('Size') ?? '';
  const sha1 = said.get('SHA1') ?? '';
  return {
    id,
    device,
    time: timeOf(said.get('Read-At'), committedAt),
    size: /^\d{1,15}$/.test(size) ? Number(size) : undefined,
    sha1: /^[0-9a-f]{40}$/.test(sha1) ? sha1 : undefined,
    model: said.get('Model'),
    run: said.get('Run'),
    by: said.get('By'),
    reason: said.get('Reason'),
    changedBy: said.get('Changed-By'),
    summary: paragraphs[0]?.split('\n')[0] ?? '',
  };
}

function timeOf(readAt: string | undefined, committedAt: number) {
  const time = new Date(readAt ?? Number.NaN);
  return (Number.isNaN(time.getTime()) ? new Date(committedAt * 1000) : time).toISOString();
}
