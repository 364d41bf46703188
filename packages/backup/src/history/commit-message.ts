/** Commit messages of the history: a line for people, then trailers (`Key: value`), which `git log --format='%(trailers)'` shows. */
import { randomBytes } from 'node:crypto';
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
  /** Why it is only a part of the configuration. */
  partial?: string | undefined;
  /** How rack.yaml described equipment that no model knows, as JSON: which secrets to mask, after the entry has changed or gone. */
  description?: string | undefined;
  /** Size of the content as text with masked secrets. */
  shownSize?: number | undefined;
  /** Of the same version elsewhere; default: a new one. */
  nonce?: string | undefined;
  /** Instead of `changed` or `first version`. */
  summary?: string | undefined;
}

interface Trailers extends Partial<Omit<CommitAbout, 'summary'>> {
  device?: string;
  size?: number | undefined;
  sha1?: string | undefined;
}

/** The last lines of a message, from which weak secrets could be guessed. An encrypted copy has them encrypted. */
export const privateTrailers = /(?<=\n)(?:(?:SHA1|Nonce): .*\n)+$/;

/** In hex digits. */
export const nonceLength = 32;

/** A random nonce for a version. */
export function newNonce(): string {
  return randomBytes(nonceLength / 2).toString('hex');
}

const longest = 1000;
/** A shortened description would be useless. */
const longestDescription = 1_000_000;

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
    ['Partial', trailers.partial],
    ['Description', trailers.description],
    ['Size', trailers.size],
    ['Shown-Size', trailers.shownSize],
    ['SHA1', trailers.sha1],
    ['Nonce', trailers.nonce],
  ];
  const lines = pairs.flatMap(([key, value]) => {
    const most = key === 'Description' ? longestDescription : longest;
    const text = oneLine(String(value ?? ''), most);
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
  const [summary = ''] = message.split('\n', 1);
  const said = trailersOf(message);
  const sha1 = said.get('SHA1') ?? '';
  const nonce = said.get('Nonce') ?? '';
  return {
    id,
    device,
    time: timeOf(said.get('Read-At'), committedAt),
    size: numberOf(said.get('Size')),
    shownSize: numberOf(said.get('Shown-Size')),
    sha1: /^[0-9a-f]{40}$/.test(sha1) ? sha1 : undefined,
    nonce: /^[0-9a-f]{32}$/.test(nonce) ? nonce : undefined,
    model: said.get('Model'),
    run: said.get('Run'),
    by: said.get('By'),
    reason: said.get('Reason'),
    changedBy: said.get('Changed-By'),
    partial: said.get('Partial'),
    description: said.get('Description'),
    sealed: said.get('Sealed'),
    summary,
  };
}

/** By key, from the last paragraph. */
export function trailersOf(message: string): Map<string, string> {
  const last = message.trimEnd().split('\n\n').at(-1) ?? '';
  return new Map(
    last.split('\n').flatMap((line): [string, string][] => {
      const [, key, value] = /^([A-Za-z0-9-]+): (.*)$/.exec(line) ?? [];
      return key === undefined || value === undefined ? [] : [[key, value]];
    }),
  );
}

function numberOf(text = ''): number | undefined {
  return /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}

function timeOf(readAt: string | undefined, committedAt: number) {
  const time = new Date(readAt ?? Number.NaN);
  return (Number.isNaN(time.getTime()) ? new Date(committedAt * 1000) : time).toISOString();
}
