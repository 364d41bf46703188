import { readFile, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { listen, tempDir } from '@skolo/base/testing';
import { lacks, peer, startContainerRegistry } from '@skolo/simulators';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCommand } from '../../testing/run-command.ts';

const program = peer('docker-registry');

describe.skipIf(lacks('docker-registry'))('skolo images pin, against a real registry', () => {
  let registry: Awaited<ReturnType<typeof startContainerRegistry>>;
  beforeAll(async () => {
    registry = await startContainerRegistry(program ?? '');
  });
  afterAll(() => registry.close());

  it('writes the digest that the registry knows, and nothing else', async () => {
    const digest = await registry.push('prom/prometheus', 'v3.13.3', 'one');
    const text = manifest(`${registry.host}/prom/prometheus:v3.13.3`);
    const file = await fileWith(text);

    const { out, exitCode } = await pin(file);

    expect(exitCode).toBe(0);
    expect(out).toBe(`${registry.host}/prom/prometheus:v3.13.3: ${digest}, pinned\n`);
    expect(await readFile(file, 'utf8')).toBe(
      text.replace('prometheus:v3.13.3', `prometheus:v3.13.3@${digest}`),
    );
  });

  it('keeps and reports a digest whose tag has moved, unless --update is given', async () => {
    const previous = await registry.push('grafana/grafana', '13.1.1', 'previous');
    const file = await fileWith(manifest(`${registry.host}/grafana/grafana:13.1.1@${previous}`));
    const moved = await registry.push('grafana/grafana', '13.1.1', 'moved');

    const kept = await pin(file);
    const afterwards = await readFile(file, 'utf8');
    const updated = await pin('--update', file);

    expect(kept.exitCode).toBe(1);
    expect(kept.err).toContain(`the tag moved from ${previous} to ${moved}`);
    expect(afterwards).toContain(`@${previous}`);
    expect(updated.exitCode).toBe(0);
    expect(await readFile(file, 'utf8')).toContain(`@${moved}`);
  });

  it('pins the rest where one tag is not there, and ends with 3', async () => {
    const digest = await registry.push('prom/alertmanager', 'v0.34.0', 'one', 'image');
    const names = [`${registry.host}/prom/alertmanager:v0.34.0`, `${registry.host}/prom/none:v1`];
    const file = await fileWith(names.map(manifest).join('---\n'));

    const { out, err, exitCode } = await pin(file);

    expect(exitCode).toBe(3);
    expect(out).toContain(`${digest}, pinned, for one platform only`);
    expect(err).toBe(
      `skolo: ${names[1]}: no such tag in ${registry.host}; specify one that exists\n`,
    );
    expect(await readFile(file, 'utf8')).toContain(`alertmanager:v0.34.0@${digest}`);
  });
});

describe('skolo images pin', () => {
  it('fetches a token where the registry asks for one', async () => {
    const body = '{"schemaVersion":2,"manifests":[]}';
    const host = await serve(({ url, headers }, response, own) => {
      if (url === '/token?service=test&scope=repository%3Aa%2Fb%3Apull') {
        response.end('{"token":"t1"}');
      } else if (headers.authorization === 'Bearer t1') {
        response.setHeader('content-type', 'application/vnd.oci.image.index.v1+json');
        response.end(body);
      } else {
        const challenge = `Bearer realm="http://${own}/token",service="test",scope="repository:a/b:pull"`;
        response.writeHead(401, { 'www-authenticate': challenge }).end();
      }
    });
    const file = await fileWith(manifest(`${host}/a/b:1`));

    const { exitCode } = await pin(file);

    expect(exitCode).toBe(0);
    // The digest of `body`, by sha256sum.
    expect(await readFile(file, 'utf8')).toContain(
      ':1@sha256:bc5857ac9458293d5111ab85c952172cd7f56bceb4e3014ddc4cafac8927b313',
    );
  });

  it.each([
    {
      what: 'bytes that are not of the stated digest',
      headers: {
        'content-type': 'application/vnd.oci.image.index.v1+json',
        'docker-content-digest': `sha256:${'0'.repeat(64)}`,
      },
      says: 'do not use this image',
    },
    {
      what: 'a page instead of a manifest',
      headers: { 'content-type': 'text/html' },
      says: 'sent text/html instead of a manifest',
    },
    {
      what: 'an error',
      status: 503,
      headers: {},
      says: 'returned 503; check the image name, or try again later',
    },
    {
      what: 'a demand for a password',
      status: 401,
      headers: { 'www-authenticate': 'Basic realm="private"' },
      says: 'skolo can read only public images',
    },
    {
      what: 'a token server without TLS elsewhere',
      status: 401,
      headers: { 'www-authenticate': 'Bearer realm="http://tokens.example.com/"' },
      says: 'the token server does not use TLS: http://tokens.example.com',
    },
  ])('writes nothing when a registry sends $what', async ({ status = 200, headers, says }) => {
    const host = await serve((_request, response) => response.writeHead(status, headers).end('{}'));
    const text = manifest(`${host}/a/b:1`);
    const file = await fileWith(text);

    const { exitCode, err } = await pin(file);

    expect(exitCode).toBe(1);
    expect(err).toContain(says);
    expect(await readFile(file, 'utf8')).toBe(text);
  });

  it('--check lists unpinned images without a request, and exits with 1', async () => {
    const digest = `sha256:${'a'.repeat(64)}`;
    const text = [
      manifest(`127.0.0.1:9/a/pinned:1@${digest}`),
      manifest('127.0.0.1:9/a/b:1'),
      // skolo's own image: the rack's overlay determines the registry.
      manifest('skolo/chrony:unset'),
    ].join('---\n');
    const file = await fileWith(text);

    const { exitCode, out } = await pin('--check', file);

    expect(exitCode).toBe(1);
    expect(out).toBe(`${file}:15 127.0.0.1:9/a/b:1: not pinned\n1 of 2 images not pinned\n`);
  });
});

function manifest(image: string): string {
  return `apiVersion: apps/v1
kind: Deployment
metadata: { name: one }
spec:
  template:
    # A comment that stays.
    spec: { containers: [{ name: one, image: "${image}", args: [--image=other:1] }] }
`;
}

async function fileWith(text: string): Promise<string> {
  const dir = await tempDir();
  const file = join(dir, 'deployment.yaml');
  await writeFile(file, text);
  return file;
}

/** A registry that answers each request as configured; its host and port. */
async function serve(
  answer: (request: IncomingMessage, response: ServerResponse, own: string) => void,
): Promise<string> {
  let own = '';
  const server = createServer((request, response) => answer(request, response, own));
  own = `127.0.0.1:${await listen(server)}`;
  return own;
}

const pin = (...args: string[]) => runCommand(['images', 'pin', ...args]);
