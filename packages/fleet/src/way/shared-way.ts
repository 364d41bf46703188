/**
 * One SSH connection for a `skolo attach` shell and the skolo commands in it: the shell has a proxy to its jumphost, whose
 * URL, including the password, is in a private file.
 */
import { readFile } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { writeFileAtomic } from '@skolo/base/durable';
import { request } from '@skolo/base/http';
import { type Fetch, hostOf } from '@skolo/base/internet';
import { startLocalProxy } from './local/local-proxy.ts';
import { type Open, tunnelFetch } from './ssh/tunnel-fetch.ts';
import type { OpenRack } from './way.ts';

/** Shares a rack's connection with other commands while it is open. */
export async function shareWay({
  connect,
  folder,
}: Pick<OpenRack, 'connect' | 'folder'>): Promise<{ file: string; close(): Promise<void> }> {
  const { url, close } = await startLocalProxy((authority, signal) => {
    const url = new URL(`tcp://${authority}`);
    return url.port === '' ? undefined : connect(hostOf(url), Number(url.port), signal);
  });
  const file = join(folder, 'way');
  await writeFileAtomic(file, url);
  return { file, close };
}

/** `fetch` through the connection shared in a file; undefined if it has ended. */
export async function fetchBySharedWay(file: string): Promise<Fetch | undefined> {
  const url = await readFile(file, 'utf8').catch(() => undefined);
  return url === undefined ? undefined : tunnelFetch(openBy(new URL(url)));
}

function openBy({ hostname, port, username, password }: URL): Open {
  return async (host, targetPort, signal) => {
    const asked = request({
      hostname,
      port,
      signal,
      method: 'CONNECT',
      path: `${host.includes(':') ? `[${host}]` : host}:${targetPort}`,
      headers: { 'proxy-authorization': `Basic ${btoa(`${username}:${password}`)}` },
    }).end();
    const { promise, resolve, reject } = Promise.withResolvers<Socket>();
    asked.on('error', reject).on('connect', ({ statusCode, statusMessage }, socket: Socket) => {
      if (statusCode === 200) return resolve(socket);
      socket.destroy();
      return reject(new Error(statusMessage));
    });
    return await promise;
  };
}
