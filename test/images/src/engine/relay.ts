import { randomUUID } from 'node:crypto';
import { mkdir, rm } from 'node:fs/promises';
import { type IncomingHttpHeaders, request } from 'node:http';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { pipeline } from 'node:stream';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import type { Docker } from './docker.ts';

export interface RelayOptions {
  docker: Docker;
  /** An image with Node. */
  image: string;
  /** For its sockets; a short path, which the engine sees as this process does. */
  dir: string;
  /** Arguments of `docker run`: `['--network', 'rack', '--ip', '198.18.64.2']`. */
  network: readonly string[];
  /** What containers find at a port of the relay: a port of this computer's loopback. */
  ports?: Readonly<Record<number, number>>;
}

interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  body: string;
}

/** A container that passes on connections, both ways; see `startRelay`. */
export interface Relay {
  /** Its name. */
  container: string;
  /** Asks a server that only containers reach. */
  fetch(
    url: string,
    options?: { method?: string; headers?: Record<string, string>; body?: string },
  ): Promise<Answer>;
  close(): Promise<void>;
}

const program = fileURLToPath(new URL('relay-main.ts', import.meta.url));

/** Starts a container that lets the test ask containers, and containers the fakes that the test has started. */
export async function startRelay(options: RelayOptions): Promise<Relay> {
  const { docker, image, network, ports = {} } = options;
  const container = `relay-${randomUUID().slice(0, 8)}`;
  const folder = join(options.dir, container);
  await mkdir(folder, { recursive: true });
  const servers = await Promise.all(
    Object.entries(ports).map(([port, target]) => passOn(join(folder, `${port}.sock`), target)),
  );
  async function close() {
    for (const server of servers) server.close();
    await docker(['rm', '--force', '--volumes', container]);
    await rm(folder, { recursive: true, force: true });
  }
  try {
    await docker([
      ...['run', '--detach', '--name', container, ...network],
      ...['--volume', `${folder}:/relay`, '--volume', `${program}:/relay-main.mts:ro`],
      ...['--entrypoint', 'node', image, '/relay-main.mts', '/relay', ...Object.keys(ports)],
    ]);
    // The last that it makes.
    const made = 'until [ -S /relay/in.sock ]; do sleep 0.1; done';
    await docker(['exec', container, 'sh', '-c', made]);
  } catch (error) {
    // There may be no container yet.
    await close().catch(() => {});
    throw error;
  }
  const socketPath = join(folder, 'in.sock');
  return {
    container,
    fetch: (url, asked = {}) => ask(socketPath, new URL(url), asked),
    close,
  };
}

/** Listens at a socket in the file system, and passes on to loopback. */
async function passOn(path: string, port: number): Promise<Server> {
  const server = createServer({ allowHalfOpen: true }, (socket: Socket) => {
    const target = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    pipeline(socket, target, socket, () => {
      socket.destroy();
      target.destroy();
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ path, writableAll: true, readableAll: true }, resolve);
  });
  return server;
}

function ask(
  socketPath: string,
  url: URL,
  { method = 'GET', headers = {}, body }: NonNullable<Parameters<Relay['fetch']>[1]>,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const asked = request(
      {
        method,
        path: `${url.pathname}${url.search}`,
        headers: { host: url.host, connection: 'close', ...headers },
        createConnection: () => {
          const socket = connect(socketPath);
          socket.write(`${url.hostname} ${url.port || 80}\n`);
          return socket;
        },
      },
      (response) => {
        text(response).then(
          (answer) =>
            resolve({ status: response.statusCode ?? 0, headers: response.headers, body: answer }),
          reject,
        );
      },
    );
    asked.once('error', reject);
    asked.end(body);
  });
}
