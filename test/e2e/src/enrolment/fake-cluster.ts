/** The part of the Kubernetes API server that enrolment uses, with faults. The long test uses a real one. */
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:https';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { listen, needs } from '@skolo/base/testing';
import { z } from 'zod';

const run = promisify(execFile);
const token = 'of-the-service-account';
const Token = z.object({
  type: z.literal('bootstrap.kubernetes.io/token'),
  stringData: z.object({
    'token-id': z.string(),
    'token-secret': z.string(),
    expiration: z.string(),
  }),
});

export interface FakeCluster {
  url: string;
  /** The service account's directory. */
  account: string;
  /** Names of nodes that are Ready. */
  ready: Set<string>;
  /** The `bootstrap-token` secrets that were created. */
  tokens: string[];
  deleted: string[];
  isDown: boolean;
  /** Called before a token is created. */
  onToken: () => Promise<void> | void;
}

export async function startFakeCluster(dir: string): Promise<FakeCluster> {
  const [key, cert] = [join(dir, 'api.pem'), join(dir, 'ca.crt')];
  await selfSigned(key, cert, 'DNS:localhost');
  const cluster: FakeCluster = {
    url: '',
    account: dir,
    ready: new Set(),
    tokens: [],
    deleted: [],
    isDown: false,
    onToken: () => undefined,
  };
  const server = createServer(
    { key: await readFile(key), cert: await readFile(cert) },
    async (request, response) => {
      const send = (status: number, body: object) =>
        response.writeHead(status).end(JSON.stringify(body));
      if (cluster.isDown) return send(503, {});
      if (request.headers.authorization !== `Bearer ${token}`) return send(401, {});
      const path = request.url ?? '';
      if (request.method === 'DELETE') {
        cluster.deleted.push(path.split('/').at(-1) ?? '');
        return send(404, {});
      }
      if (request.method === 'POST') {
        const parts = await request.toArray();
        const { stringData: made } = Token.parse(JSON.parse(Buffer.concat(parts).toString()));
        await cluster.onToken();
        cluster.tokens.push(`${made['token-id']}.${made['token-secret']}`);
        return send(201, {});
      }
      const items = [...cluster.ready].map((name) => ({
        metadata: { name },
        status: { conditions: [{ type: 'Ready', status: 'True' }] },
      }));
      return send(200, { items });
    },
  );
  const port = await listen(server);
  cluster.url = `https://localhost:${port}`;
  return cluster;
}

export const accountToken = token;

/** @param names such as `DNS:localhost` */
export async function selfSigned(key: string, cert: string, names: string): Promise<void> {
  needs('openssl');
  await run('openssl', [
    ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'],
    ...['-subj', '/CN=test', '-addext', `subjectAltName=${names}`, '-days', '2'],
    ...['-keyout', key, '-out', cert],
  ]);
}
