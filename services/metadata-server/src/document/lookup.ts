/**
 * Decides what a request gets from its caller's document, such as 404 or a redirect, and whether `Metadata-Flavor` is required. Pure:
 * the rules of Google's server, in their order.
 */
import type { IncomingMessage } from 'node:http';
import { type Answer, bareError, errorPage, redirectToDirectory, retryAfter } from './answers.ts';
import { isRenderable, type Renderable, renderOnce } from './render.ts';
import type { MetadataRequest } from './request.ts';
import { find, isDirectory, type Node } from './tree.ts';

export type Found =
  | { kind: 'answer'; answer: Answer }
  /** Content that clients can wait for. */
  | { kind: 'content'; answer: Answer; etag: string }
  | { kind: 'access-token' }
  | { kind: 'id-token' };

export function lookUp(
  asked: MetadataRequest,
  document: Node,
  { method = 'GET', headers }: Pick<IncomingMessage, 'method' | 'headers'>,
): Found {
  // The second one is the predecessor of the first.
  const hasFlavor =
    headers['metadata-flavor'] === 'Google' || headers['x-google-metadata-request'] === 'True';
  if (asked.underV1 && !hasFlavor) return rejected(403, 'Missing Metadata-Flavor:Google header.');
  const node = find(document, asked.segments);
  if (!node) return rejected(404, `${asked.path} was not found.`);
  if (node.kind === 'closed') return closed(node.status, node.message);
  if (method !== 'GET' && method !== 'HEAD') {
    return rejected(405, 'Only GET and HEAD are supported.', ['Allow', 'GET, HEAD']);
  }
  if (isDirectory(node) && !asked.trailingSlash) {
    return { kind: 'answer', answer: redirectToDirectory(headers.host, asked.path, asked.search) };
  }
  if (!isDirectory(node) && asked.trailingSlash)
    return rejected(404, `${asked.path} was not found.`);
  if (asked.waitForChange && asked.timeoutSeconds === 'invalid') {
    return rejected(400, 'timeout_sec must be a whole number of seconds.');
  }
  if (isRenderable(node)) return content(asked, node);
  if (node.kind === 'token') return { kind: 'access-token' };
  return idTokenOf(asked);
}

function content(asked: MetadataRequest, node: Renderable): Found {
  // Above v1 no header is required, so only the listing is shown.
  const recursive = asked.recursive && asked.underV1;
  if (isDirectory(node) && asked.underV1 && !recursive) {
    if (asked.alt !== undefined)
      return rejected(400, 'alt requires recursive=true on a directory.');
    if (asked.waitForChange)
      return rejected(400, 'wait_for_change requires recursive=true on a directory.');
  }
  const { etag, ...rendered } = renderOnce(node, { recursive, alt: asked.alt });
  const answer = { status: 200, ...rendered };
  if (!asked.underV1) return { kind: 'answer', answer };
  return { kind: 'content', answer: { ...answer, headers: ['ETag', etag] }, etag };
}

function idTokenOf({ audience, format, licenses }: MetadataRequest): Found {
  if (audience === '') {
    return { kind: 'answer', answer: bareError(400, 'non-empty audience parameter required') };
  }
  if (!['', 'standard', 'full'].includes(format))
    return rejected(400, 'format must be standard or full.');
  if (!['', 'TRUE', 'FALSE'].includes(licenses))
    return rejected(400, 'licenses must be TRUE or FALSE.');
  return { kind: 'id-token' };
}

function closed(status: 403 | 503, message: string): Found {
  if (status === 403) return { kind: 'answer', answer: bareError(status, message) };
  return rejected(status, message, retryAfter(5));
}

function rejected(status: number, why: string, headers: readonly string[] = []): Found {
  return { kind: 'answer', answer: errorPage(status, why, headers) };
}
