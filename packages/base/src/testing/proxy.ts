import { readFile } from 'node:fs/promises';
import { createServer, type RequestListener } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { onTestFinished } from 'vitest';
import { run } from '../programs/run.ts';
import { listen } from './listen.ts';
import { needs } from './needs.ts';
import { tempDir } from './temp-dir.ts';

/**
 * An HTTP proxy that connects every host to a port of this computer, and lists what it was asked for.
 *
 * @param answer instead of connecting
 */
export async function startProxy(to: () => number, answer?: (socket: Socket) => void) {
  const connects: string[] = [];
  const signIns: (string | undefined)[] = [];
  const server = createServer(({ url = '', method, headers }, response) => {
    connects.push(`${method} ${url}`);
    signIns.push(headers['proxy-authorization']);
    response.end('from the proxy');
  }).on('connect', ({ url = '', headers }, client: Socket) => {
    connects.push(`CONNECT ${url}`);
    signIns.push(headers['proxy-authorization']);
    client.on('error', () => undefined);
    onTestFinished(() => void client.destroy());
    if (answer) return answer(client);
    const server = connect(to(), '127.0.0.1', () => {
      client.write('HTTP/1.1 200 Connection established\r\n\r\n');
      client.pipe(server).pipe(client);
    }).on('error', () => client.end('HTTP/1.1 502 Bad Gateway\r\n\r\n'));
  });
  return { host: `127.0.0.1:${await listen(server)}`, connects, signIns };
}

/**
 * The port of an https server whose certificate this process trusts.
 *
 * @param subject what the certificate is for, as openssl reads it
 */
export async function serveExampleTest(
  listener: RequestListener,
  subject = 'DNS:*.example.test',
): Promise<number> {
  needs('openssl');
  const dir = await tempDir();
  const [key, cert] = [join(dir, 'key.pem'), join(dir, 'cert.pem')];
  const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  const name = ['-subj', '/CN=example.test', '-addext', `subjectAltName=${subject}`];
  await run('openssl', ['req', '-x509', ...kind, ...name, '-keyout', key, '-out', cert]);
  const certificate = await readFile(cert, 'utf8');
  setDefaultCACertificates([...getCACertificates('default'), certificate]);
  return await listen(createTlsServer({ key: await readFile(key), cert: certificate }, listener));
}
