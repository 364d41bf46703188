/** Serves the built pages with their security headers: a few files, kept compressed in memory. */
import { readdir, readFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { ifThere, sha256Bytes } from '@skolo/base';
import { acceptsGzip, pathOf, type Stage } from '@skolo/common/light';

/** Nothing from other origins, nothing inline. `blob:` is for a phone's screen, which is fetched with a POST. */
const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' blob:",
  "connect-src 'self'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "base-uri 'none'",
].join('; ');

const headersOfPages = {
  'content-security-policy': policy,
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy': 'camera=(), geolocation=(), microphone=()',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
};

const types: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
};

interface Page {
  type: string;
  etag: string;
  isImmutable: boolean;
  body: Buffer;
  /** Browsers accept no better compression over plain http. */
  gzipped: Buffer;
}

export type Pages = ReadonlyMap<string, Page>;

/** @param folder Vite's output; empty without it: the service works without its pages */
export async function readPages(folder: string): Promise<Pages> {
  const names = (await ifThere(readdir(folder, { recursive: true }))) ?? [];
  const files = names.filter((name) => extname(name) in types);
  return new Map(
    await Promise.all(
      files.map(async (name) => await pageOf(`/${name}`, await readFile(join(folder, name)))),
    ),
  );
}

/** @param texts by path: `/index.html` */
export async function pagesOf(texts: Readonly<Record<string, string>>): Promise<Pages> {
  const pages = Object.entries(texts).map(([path, text]) => pageOf(path, Buffer.from(text)));
  return new Map(await Promise.all(pages));
}

/**
 * Answers requests for pages; all others continue.
 *
 * @param pathFor the path as used by the pages
 */
export function servePages(pages: Pages, pathFor = pathOf): Stage {
  return (request, response, next) => {
    const path = pathFor(request);
    if (request.method !== 'GET' && request.method !== 'HEAD') return next();
    if (path === '/' && pages.size === 0) {
      response.writeHead(503, { 'content-type': 'text/plain; charset=utf-8' });
      response.end('the console is not built; run: npm run build -w packages/console\n');
      return;
    }
    const page = pages.get(path === '/' ? '/index.html' : path);
    if (page === undefined) return next();
    for (const [name, value] of Object.entries(headersOfPages)) response.setHeader(name, value);
    response.setHeader('etag', page.etag);
    response.setHeader('vary', 'accept-encoding');
    // The index names the other files by their content.
    const caching = page.isImmutable ? 'public, max-age=31536000, immutable' : 'no-cache';
    response.setHeader('cache-control', caching);
    if (request.headers['if-none-match'] === page.etag) {
      response.writeHead(304).end();
      return;
    }
    const isGzipped = acceptsGzip(request);
    const body = isGzipped ? page.gzipped : page.body;
    if (isGzipped) response.setHeader('content-encoding', 'gzip');
    response.writeHead(200, { 'content-type': page.type, 'content-length': body.length }).end(body);
  };
}

async function pageOf(path: string, body: Buffer): Promise<[string, Page]> {
  const page = {
    type: types[extname(path)] ?? 'application/octet-stream',
    etag: `"${sha256Bytes(body).toString('base64url')}"`,
    isImmutable: path.startsWith('/assets/'),
    body,
    gzipped: await promisify(gzip)(body),
  };
  return [path, page];
}
