/** The registry that people run (distribution), on loopback, with its images in a temporary folder. */
import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freeTcpPort } from '../free-port.ts';
import { Process } from '../process.ts';

const indexType = 'application/vnd.oci.image.index.v1+json';
const imageType = 'application/vnd.oci.image.manifest.v1+json';

const blobs = 'docker/registry/v2/blobs/sha256';

/** @param program of `peer('docker-registry')` */
export async function startContainerRegistry(program: string): Promise<ContainerRegistry> {
  const dir = await mkdtemp(join(tmpdir(), 'skolo-registry-'));
  const host = `127.0.0.1:${await freeTcpPort()}`;
  const configuration = join(dir, 'config.yml');
  const storage = { filesystem: { rootdirectory: join(dir, 'images') } };
  await writeFile(
    configuration,
    JSON.stringify({ version: 0.1, log: { level: 'error' }, storage, http: { addr: host } }),
  );
  const registry = new Process(program, ['serve', configuration]);
  await registry.until('to answer', () =>
    fetch(`http://${host}/v2/`).then(
      ({ ok }) => ok,
      () => false,
    ),
  );
  const close = async () => {
    await registry.stop();
    await rm(dir, { recursive: true, force: true });
  };
  return new ContainerRegistry(host, {
    close,
    blobs: join(storage.filesystem.rootdirectory, blobs),
  });
}

export class ContainerRegistry {
  /** `127.0.0.1:PORT`: the first part of its images' names. */
  readonly host: string;
  readonly close: () => Promise<void>;
  private readonly blobs: string;

  constructor(host: string, { close, blobs }: { close: () => Promise<void>; blobs: string }) {
    this.host = host;
    this.close = close;
    this.blobs = blobs;
  }

  /** As after a cleanup that was wrong: a manifest still names it. @param digest `sha256:…` of a layer or a manifest */
  async lose(digest: string): Promise<void> {
    const hex = digest.slice('sha256:'.length);
    await rm(join(this.blobs, hex.slice(0, 2), hex), { recursive: true });
  }

  /**
   * Stores a small image of two platforms under the tag.
   *
   * @param content differs from image to image
   * @param version for the label; without one it has none
   * @returns the digest by which the registry itself knows the index, or the image of one platform
   */
  async push(
    repository: string,
    tag: string,
    content: string,
    kind: 'index' | 'image' = 'index',
    version?: string,
  ): Promise<string> {
    if (kind === 'image') {
      return (await this.pushImage(repository, content, { reference: tag, version })).digest;
    }
    const manifests = [];
    for (const architecture of ['amd64', 'arm64']) {
      const image = await this.pushImage(repository, `${content} ${architecture}`, { version });
      manifests.push({ ...image, platform: { os: 'linux', architecture } });
    }
    const index = { schemaVersion: 2, mediaType: indexType, manifests };
    return (await this.pushManifest(repository, tag, index)).digest;
  }

  private async put(path: string, type: string, body: string): Promise<Response> {
    const headers = { 'content-type': type };
    const response = await fetch(`http://${this.host}${path}`, { method: 'PUT', headers, body });
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return response;
  }

  private async pushBlob(repository: string, content: string) {
    const path = `/v2/${repository}/blobs/uploads/`;
    const begun = await fetch(`http://${this.host}${path}`, { method: 'POST' });
    const upload = new URL(begun.headers.get('location') ?? '', `http://${this.host}`);
    const digest = digestOf(content);
    upload.searchParams.set('digest', digest);
    await this.put(`${upload.pathname}${upload.search}`, 'application/octet-stream', content);
    return { digest, size: Buffer.byteLength(content) };
  }

  private async pushManifest(repository: string, reference: string, manifest: object) {
    const text = JSON.stringify(manifest);
    const type = 'manifests' in manifest ? indexType : imageType;
    const response = await this.put(`/v2/${repository}/manifests/${reference}`, type, text);
    const stated = response.headers.get('docker-content-digest') ?? '';
    return { mediaType: type, digest: stated, size: Buffer.byteLength(text) };
  }

  private async pushImage(
    repository: string,
    content: string,
    { reference, version }: { reference?: string; version: string | undefined },
  ) {
    const Labels = { 'org.opencontainers.image.version': version };
    const platform = JSON.stringify({
      architecture: 'amd64',
      os: 'linux',
      content,
      ...(version !== undefined && { config: { Labels } }),
    });
    const manifest = {
      schemaVersion: 2,
      mediaType: imageType,
      config: {
        mediaType: 'application/vnd.oci.image.config.v1+json',
        ...(await this.pushBlob(repository, platform)),
      },
      layers: [
        {
          mediaType: 'application/vnd.oci.image.layer.v1.tar',
          // No tar: nobody unpacks it.
          ...(await this.pushBlob(repository, `layer of ${content}`)),
        },
      ],
    };
    const name = reference ?? digestOf(JSON.stringify(manifest));
    return this.pushManifest(repository, name, manifest);
  }
}

/** By which registries know a blob. */
export function digestOf(content: string | Buffer): string {
  return `sha256:${createHash('sha256').update(content).digest('hex')}`;
}
