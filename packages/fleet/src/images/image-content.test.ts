import { createServer } from 'node:http';
import { sha256 } from '@skolo/base';
import { listen } from '@skolo/base/testing';
import { expect, it } from 'vitest';
import { proveParts } from './image-content.ts';

it('knows that a registry has the parts that it redirects to, even if their storage rejects HEAD', async () => {
  const config = `sha256:${sha256(Buffer.from('config'))}`;
  const layer = `sha256:${sha256(Buffer.from('layer'))}`;
  const type = 'application/vnd.oci.image.manifest.v1+json';
  const [first, second] = [config, layer].map((digest) => ({ mediaType: 'x', digest, size: 1 }));
  const manifest = JSON.stringify({ mediaType: type, config: first, layers: [second] });
  const asked: string[] = [];
  const server = createServer(({ method, url = '' }, response) => {
    asked.push(`${method} ${url}`);
    if (url.includes('/manifests/'))
      response.writeHead(200, { 'content-type': type }).end(manifest);
    else if (url.includes('/blobs/')) response.writeHead(307, { location: '/storage' }).end();
    else response.writeHead(403).end();
  });
  const port = await listen(server);
  const image = { registry: `127.0.0.1:${port}`, repository: 'skolo/agent', tag: '1' };

  await proveParts(image, 'linux/arm64', new AbortController().signal);

  expect(asked.toSorted()).toEqual([
    'GET /v2/skolo/agent/manifests/1',
    ...[config, layer].map((digest) => `HEAD /v2/skolo/agent/blobs/${digest}`).sort(),
  ]);
});
