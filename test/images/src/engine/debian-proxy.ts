import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, rename, rm, stat } from 'node:fs/promises';
import { createServer, get, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { removeOld } from './remove-old.ts';

const mirrors = ['deb.debian.org', 'security.debian.org'];

/**
 * An HTTP proxy for apt: what is built in a container reaches Debian's mirrors by it, and no other server. Packages and
 * indexes by their hash never change under their name: they are kept in `dir`, and fetched once for all images and runs.
 */
export async function startDebianProxy(dir: string) {
  await mkdir(dir, { recursive: true });
  // Most of it has newer versions by then.
  await removeOld(dir, (_, days) => days > 30);
  const rejected: string[] = [];
  /** By file: several images may want the same package at the same time. */
  const arriving = new Map<string, Promise<number>>();

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { url = '', method, headers } = request;
    if (method !== 'GET' || !URL.canParse(url) || !mirrors.includes(new URL(url).hostname)) {
      rejected.push(url);
      response.writeHead(403, { 'content-type': 'text/plain' }).end('only mirrors of Debian\n');
      return;
    }
    if (!/\/pool\/|\/by-hash\//.test(new URL(url).pathname)) {
      const answer = await ask(url, headers);
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      await pipeline(answer, response);
      return;
    }
    const file = join(dir, createHash('sha256').update(url).digest('hex'));
    let status = (await exists(file)) ? 200 : undefined;
    if (status === undefined) {
      const fetched = arriving.get(file) ?? keep(url, file).finally(() => arriving.delete(file));
      arriving.set(file, fetched);
      status = await fetched;
    }
    if (status !== 200) {
      response.writeHead(status).end();
      return;
    }
    response.writeHead(200, { 'content-length': (await stat(file)).size });
    await pipeline(createReadStream(file), response);
  }

  const server = createServer((request, response) => {
    serve(request, response).catch((error: Error) => {
      if (response.headersSent) response.destroy(error);
      else response.writeHead(502).end(`${error.message}\n`);
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    port,
    /** `http://127.0.0.1:PORT` */
    url: `http://127.0.0.1:${port}`,
    /** Addresses that were asked for and are no mirror of Debian. */
    rejected,
    async close() {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

/** Fetches it whole or not at all. Answers the status. */
async function keep(url: string, file: string): Promise<number> {
  const answer = await ask(url, {});
  if (answer.statusCode !== 200) {
    answer.resume();
    return answer.statusCode ?? 502;
  }
  const part = `${file}.${process.pid}`;
  try {
    await pipeline(answer, createWriteStream(part));
    await rename(part, file);
  } catch (error) {
    await rm(part, { force: true });
    throw error;
  }
  return 200;
}

/** Through the proxy of this computer, where it has one. */
function ask(url: string, headers: IncomingMessage['headers']): Promise<IncomingMessage> {
  const { host, pathname, search } = new URL(url);
  const above = process.env.http_proxy;
  const target = above
    ? { ...hostOf(above), path: url }
    : { host: new URL(url).hostname, port: new URL(url).port || 80, path: `${pathname}${search}` };
  const passed = Object.fromEntries(
    Object.entries(headers).filter(([name]) => !/^(proxy-|connection$|host$)/.test(name)),
  );
  return new Promise((resolve, reject) => {
    const asked = get({ ...target, headers: { ...passed, host } }, resolve);
    asked.setTimeout(900_000, () => asked.destroy(new Error(`${url}: no response within 15 min`)));
    asked.once('error', reject);
  });
}

function hostOf(proxy: string): { host: string; port: string } {
  const { hostname, port } = new URL(proxy);
  return { host: hostname, port: port || '80' };
}

async function exists(file: string): Promise<boolean> {
  return stat(file).then(
    () => true,
    () => false,
  );
}
