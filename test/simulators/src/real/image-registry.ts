/** A registry on loopback with images that can be unpacked. It serves only what a pull needs: manifests and blobs. */
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gunzipSync } from 'node:zlib';
import { send, WebServer } from '../cloud/web-server.ts';
import { digestOf } from './container-registry.ts';

const run = promisify(execFile);

interface ImageSize {
  layers: number;
  /** Of each layer. */
  files: number;
  fileBytes: number;
}

export interface ImageRegistry {
  /** The name of the image. */
  image: string;
  /** What it contains, as `sha256sum` prints it. */
  sums: string;
  close(): Promise<void>;
}

/** Starts one with one image, of random files. */
export async function startImageRegistry(size: ImageSize): Promise<ImageRegistry> {
  const blobs = new Map<string, Buffer>();
  const put = (content: Buffer, mediaType: string) => {
    const digest = digestOf(content);
    blobs.set(digest, content);
    return { mediaType, digest, size: content.length };
  };
  const made = await Promise.all(Array.from({ length: size.layers }, (_, at) => layer(at, size)));
  const diffs = made.map(({ archive }) => digestOf(gunzipSync(archive)));
  const configuration = {
    architecture: process.arch === 'x64' ? 'amd64' : process.arch,
    os: 'linux',
    config: {},
    rootfs: { type: 'layers', diff_ids: diffs },
  };
  const manifestType = 'application/vnd.oci.image.manifest.v1+json';
  const manifest = put(
    Buffer.from(
      JSON.stringify({
        schemaVersion: 2,
        mediaType: manifestType,
        config: put(
          Buffer.from(JSON.stringify(configuration)),
          'application/vnd.oci.image.config.v1+json',
        ),
        layers: made.map(({ archive }) =>
          put(archive, 'application/vnd.oci.image.layer.v1.tar+gzip'),
        ),
      }),
    ),
    manifestType,
  );
  const server = new WebServer(async ({ url = '', method }, response) => {
    const last = url.split('/').at(-1) ?? '';
    const digest = last === 'latest' ? manifest.digest : last;
    const content = blobs.get(digest);
    if (content === undefined) return send(response, { status: url === '/v2/' ? 200 : 404 });
    const isManifest = digest === manifest.digest;
    response.setHeader('docker-content-digest', digest);
    if (method === 'HEAD') response.setHeader('content-length', content.length);
    const type = isManifest ? manifestType : 'application/octet-stream';
    if (method === 'HEAD') response.writeHead(200, { 'content-type': type }).end();
    else send(response, { status: 200, body: content, headers: { 'content-type': type } });
  }, 0);
  await server.open();
  return {
    image: `127.0.0.1:${server.port}/skolo/test:latest`,
    sums: made.map(({ sums }) => sums).join(''),
    close: () => server.close(),
  };
}

/** One with random files: nothing of them can be guessed, or compressed. */
async function layer(at: number, { files, fileBytes }: ImageSize) {
  const dir = await mkdtemp(join(tmpdir(), 'skolo-layer-'));
  try {
    const name = `layer-${at}`;
    await mkdir(join(dir, name));
    const lines = Array.from({ length: files }, async (_, file) => {
      const content = randomBytes(fileBytes);
      const path = `${name}/file-${file}`;
      await writeFile(join(dir, path), content);
      return `${digestOf(content).slice('sha256:'.length)}  ${path}\n`;
    });
    const sums = (await Promise.all(lines)).join('');
    await run('tar', ['-C', dir, '-czf', join(dir, 'layer.tar.gz'), name]);
    return { archive: await readFile(join(dir, 'layer.tar.gz')), sums };
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}
