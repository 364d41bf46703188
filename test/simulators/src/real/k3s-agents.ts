/**
 * How agents join the fake k3s: over a protocol of its own, by tokens and passwords like those of k3s. Behind the server,
 * each agent that is connected is a node of the control plane; without its agent the node is not ready.
 */
import { execFile } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { access, appendFile, copyFile, mkdir, readFile } from 'node:fs/promises';
import { connect, createServer, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import { z } from 'zod';
import type { ControlPlane } from './control-plane.ts';

const run = promisify(execFile);
const port = 6443;

/** What an agent says first. */
const Hello = z.object({
  name: z.string(),
  token: z.string(),
  password: z.string(),
  version: z.string(),
  architecture: z.enum(['amd64', 'arm64', 'arm']),
});
const Answer = z.union([z.object({ authority: z.string() }), z.object({ rejected: z.string() })]);

/** As `k3s token create`. */
export async function newToken(data: string): Promise<string> {
  const authority = await readFile(authorityFile(data));
  const digest = createHash('sha256').update(authority).digest('hex');
  const token = `${randomBytes(3).toString('hex')}.${randomBytes(8).toString('hex')}`;
  await appendFile(tokensFile(data), `${token}\n`);
  return `K10${digest}::${token}`;
}

function authorityFile(data: string): string {
  return `${data}/tls/server-ca.crt`;
}

function tokensFile(data: string): string {
  return `${data}/db/test-tokens`;
}

interface Agents {
  address: string;
  data: string;
  cluster: ControlPlane;
  /** Of each node. */
  versions: Map<string, string>;
  kubectl(args: readonly string[], input?: string): Promise<string>;
}

/** Where agents of the same cluster find their server. */
export async function acceptAgents({ address, data, cluster, versions, kubectl }: Agents) {
  await mkdir(`${data}/tls`, { recursive: true });
  const ofTest = `${data}/db/test/certificates/authority`;
  // With the time of that of k3s, because the test's own expires within a day. Tokens contain its digest, so it stays the same.
  const isMade = await access(`${ofTest}-long.crt`).then(
    () => true,
    () => false,
  );
  const longer = ['-signkey', `${ofTest}.key`, '-days', '3650', '-out', `${ofTest}-long.crt`];
  if (!isMade) await run('openssl', ['x509', '-in', `${ofTest}.crt`, ...longer]);
  await copyFile(`${ofTest}-long.crt`, authorityFile(data));
  const authority = await readFile(authorityFile(data), 'utf8');
  const open = new Set<Socket>();
  const closing = new Set<Promise<void>>();

  async function isKnown(name: string, password: string, token: string): Promise<boolean> {
    const secret = `${name}.node-password.k3s`;
    const hash = createHash('sha256').update(password).digest('hex');
    const known = await kubectl([
      ...['get', 'secret', secret, '-n', 'kube-system', '--ignore-not-found'],
      ...['-o', 'jsonpath={.data.hash}'],
    ]);
    if (known !== '') return Buffer.from(known, 'base64').toString() === hash;
    const tokens = await readFile(tokensFile(data), 'utf8').catch(() => '');
    if (!tokens.split('\n').includes(token.replace(/^K10\w+::/, ''))) return false;
    const made = { apiVersion: 'v1', kind: 'Secret', stringData: { hash } };
    const metadata = { name: secret, namespace: 'kube-system' };
    await kubectl(['create', '-f', '-'], JSON.stringify({ ...made, metadata }));
    return true;
  }

  async function accept(socket: Socket, line: string): Promise<void> {
    const { name, token, password, version, architecture } = Hello.parse(JSON.parse(line));
    if (!(await isKnown(name, password, token))) {
      socket.end(`${JSON.stringify({ rejected: 'Node password rejected, or token not valid' })}\n`);
      return;
    }
    versions.set(name, version);
    const node = await cluster.addNode({ name, architecture });
    if (socket.closed) await node.stop();
    else {
      socket.once('close', () => void closing.add(node.stop()));
      socket.write(`${JSON.stringify({ authority })}\n`);
    }
  }

  const server = createServer((socket) => {
    open.add(socket);
    socket.once('close', () => open.delete(socket));
    socket.on('error', () => {});
    createInterface({ input: socket })
      .on('error', () => {})
      .once('line', (line) => {
        accept(socket, line).catch((error: unknown) => {
          console.error(`level=error msg=${JSON.stringify(String(error))}`);
          socket.destroy();
        });
      });
  });
  server.on('error', (error) => console.error(`level=error msg=${JSON.stringify(String(error))}`));
  server.listen(port, address);
  return {
    async close() {
      server.close();
      for (const socket of open) socket.destroy();
      await Promise.all(closing);
    },
  };
}

interface Joined {
  hello: z.input<typeof Hello>;
  signal: AbortSignal;
  rejected(why: string): void;
  /** @param authority PEM */
  joined(authority: string): Promise<void>;
}

/** Is connected, and connects again where that ends, until the signal. */
export async function stayJoined(
  server: string,
  { hello, signal, rejected, joined }: Joined,
): Promise<void> {
  while (!signal.aborted) {
    const socket = connect({ host: server, port, keepAlive: true });
    socket.on('error', () => {});
    const stop = () => socket.destroy();
    signal.addEventListener('abort', stop);
    const closed = once(socket, 'close');
    socket.write(`${JSON.stringify(hello)}\n`);
    createInterface({ input: socket })
      .on('error', () => {})
      .once('line', (line) => {
        const answer = Answer.parse(JSON.parse(line));
        if ('rejected' in answer) rejected(answer.rejected);
        else void joined(answer.authority);
      });
    await closed;
    signal.removeEventListener('abort', stop);
    await pause(1000, undefined, { signal }).catch(() => undefined);
  }
}
