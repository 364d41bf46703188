/**
 * Resumable uploads: a session is started, and its content comes in as many requests as it takes. Whoever has the
 * session's address may go on with it, without a token.
 *
 * Source: https://cloud.google.com/storage/docs/performing-resumable-uploads
 */
import { randomBytes } from 'node:crypto';
import type { Arrived } from './arrived.ts';
import type { ObjectMetadata, Preconditions } from './bucket.ts';
import { hashesOf } from './inserts.ts';
import { invalid, Rejection } from './rejection.ts';

/** Of what arrives without the end, only whole pieces of this size are kept. */
const pieceBytes = 256 * 1024;

export interface Session {
  id: string;
  bucket: string;
  name: string;
  about: ObjectMetadata;
  preconditions: Preconditions;
  received: Buffer[];
  size: number;
  /** The object, once it is whole. */
  done?: object;
}

export class Sessions {
  private readonly sessions = new Map<string, Session>();

  start(from: Omit<Session, 'id' | 'received' | 'size'>): Session {
    const id = randomBytes(24).toString('base64url');
    const session: Session = { ...from, id, received: [], size: 0 };
    this.sessions.set(id, session);
    return session;
  }

  /** @throws Rejection 404 */
  get(id: string | null): Session {
    const session = id === null ? undefined : this.sessions.get(id);
    if (!session) throw new Rejection(404, 'notFound', 'Not Found', { text: true });
    return session;
  }
}

/** What a PUT of a session brings: from which byte on, and whether it is the rest. */
interface Range {
  /** Undefined: only asks how far it is. */
  from: number | undefined;
  /** The size of the whole, where it is said. */
  total: number | undefined;
  /** `-*`: to the end of the request, whichever that is. */
  open: boolean;
  to: number | undefined;
}

/** @throws Rejection 400 */
export function rangeOf({ headers }: Arrived): Range {
  const text = headers['content-range'];
  if (text === undefined) return { from: 0, total: undefined, open: true, to: undefined };
  const parts =
    /^bytes (?:(?<star>\*)|(?<from>\d+)-(?:(?<open>\*)|(?<to>\d+)))\/(?:\*|(?<total>\d+))$/.exec(
      text,
    )?.groups;
  if (!parts) throw invalid('Failed to parse Content-Range header.');
  return {
    from: parts.star ? undefined : Number(parts.from),
    total: parts.total === undefined ? undefined : Number(parts.total),
    open: parts.open !== undefined,
    to: parts.to === undefined ? undefined : Number(parts.to),
  };
}

/** Takes what arrives, skipping what it has already. */
export class Receiver {
  private readonly session: Session;
  private skip: number;

  /** @throws Rejection 503: there is a hole before it. */
  constructor(session: Session, from: number) {
    this.session = session;
    this.skip = session.size - from;
    if (this.skip < 0) {
      throw new Rejection(
        503,
        'invalid',
        `Invalid request.  According to the Content-Range header, the upload offset is ${from} byte(s), which exceeds already uploaded size of ${session.size} byte(s).`,
        { text: true },
      );
    }
  }

  take(chunk: Buffer): void {
    const fresh = chunk.subarray(Math.min(this.skip, chunk.length));
    this.skip -= chunk.length - fresh.length;
    this.session.received.push(fresh);
    this.session.size += fresh.length;
  }

  /** The connection died: whole pieces stay. */
  cut(): void {
    const content = Buffer.concat(this.session.received);
    const kept = content.subarray(0, content.length - (content.length % pieceBytes));
    this.session.received = [kept];
    this.session.size = kept.length;
  }
}

/** Whether the session has all of its content now. */
export function isWhole({ size }: Session, { open, to, total }: Range): boolean {
  if (total !== undefined) return size >= total;
  return open && to === undefined;
}

/** Checksums said with the last request count, too. */
export function aboutOf(session: Session, { headers }: Arrived): ObjectMetadata {
  return { ...session.about, ...hashesOf(headers) };
}
