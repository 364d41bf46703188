/**
 * Images in a container registry: the manifests behind tags, their platforms, and all tags.
 *
 * Sources: OCI Distribution Specification 1.1 (pulling manifests), Docker Registry token authentication
 * (`WWW-Authenticate: Bearer realm=…,service=…,scope=…`).
 */
import { bytesUpTo, NamedError, parseJson, sha256 } from '@skolo/base';
import { internetFetch, throughProxy } from '@skolo/base/internet';
import { z } from 'zod';

/** A registry does not contain, or does not return, what was requested. The message says what to do. */
export class RegistryError extends NamedError {}

export interface ImageName {
  /** `docker.io`, `127.0.0.1:5000`. */
  registry: string;
  repository: string;
  tag: string;
  /** `sha256:…`; takes precedence over the tag. */
  digest?: string | undefined;
}

/** `REGISTRY/REPOSITORY:TAG[@DIGEST]`; the first part is a registry if it contains a dot or a port, or is `localhost`. */
const form =
  /^(?<registry>[^/]*[.:][^/]*|localhost)\/(?<repository>[a-z0-9._/-]+):(?<tag>[\w.-]+)(?:@(?<digest>sha256:[0-9a-f]{64}))?$/;

/** Undefined for an image without a registry or without a tag. */
export function parseImage(text: string): ImageName | undefined {
  const { registry, repository, tag, digest } = form.exec(text)?.groups ?? {};
  if (registry === undefined || repository === undefined || tag === undefined) return undefined;
  return { registry, repository, tag, digest };
}

/** Indexes first: a rack has amd64 and arm64, so a digest must cover both. */
const listTypes = [
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
];
const imageTypes = [
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.v2+json',
];
/** Whether a media type is that of a manifest or an index. */
export function isManifest(type: string): boolean {
  return listTypes.includes(type) || imageTypes.includes(type);
}

/** The specification requires registries to accept manifests of 4 MiB. */
const maxManifestBytes = 4 * 1024 * 1024;
const deadlineMs = 20_000;

const Token = z.looseObject({ token: z.string().optional(), access_token: z.string().optional() });

const Platform = z.looseObject({
  os: z.string(),
  architecture: z.string(),
  variant: z.string().optional(),
});

/** A part of an image, as listed in a manifest. */
const Descriptor = z.looseObject({
  mediaType: z.string(),
  digest: z.string().regex(/^sha256:[0-9a-f]{64}$/),
  size: z.number(),
});
export type Descriptor = z.infer<typeof Descriptor>;

export const Index = z.looseObject({
  manifests: z.array(Descriptor.extend({ platform: Platform.optional() })),
});
export const Image = z.looseObject({ config: Descriptor, layers: z.array(Descriptor) });
const Tags = z.looseObject({ tags: z.array(z.string()).nullish() });

export interface Resolved {
  /** `sha256:…` of the manifest that the registry sent. */
  digest: string;
  /** Whether it can contain an image for each platform. */
  isIndex: boolean;
  type: string;
  bytes: Buffer;
}

/**
 * Asks the registry, without credentials, for the manifest of a tag, or of a digest if there is one. Computes the digest
 * from the bytes and compares it with the stated one.
 *
 * @throws RegistryError The registry cannot be reached, rejects the request, or sends no manifest.
 */
export async function resolveImage(image: ImageName, signal?: AbortSignal): Promise<Resolved> {
  const { registry, repository, tag, digest: wanted } = image;
  const name = `${registry}/${repository}:${tag}`;
  const accept = [...listTypes, ...imageTypes].join(', ');
  const response = await askRegistry(image, `manifests/${wanted ?? tag}`, { accept }, { signal });
  if (response.status === 404) {
    throw new RegistryError(
      `${name}: no such ${wanted ? 'digest' : 'tag'} in ${registry}; specify one that exists`,
    );
  }
  if (!response.ok) {
    throw new RegistryError(
      `${name}: ${registry} returned ${response.status}; check the image name, or try again later`,
    );
  }
  const type = response.headers.get('content-type')?.split(';')[0]?.trim() ?? '';
  const isIndex = listTypes.includes(type);
  if (!isIndex && !imageTypes.includes(type)) {
    throw new RegistryError(
      `${name}: ${registry} sent ${type || 'an untyped response'} instead of a manifest`,
    );
  }
  const bytes = await limitedBytes(name, response);
  const digest = `sha256:${sha256(bytes)}`;
  const stated = wanted ?? response.headers.get('docker-content-digest');
  if (stated !== null && stated !== digest) {
    throw new RegistryError(
      `${name}: ${registry} reports digest ${stated}, but the manifest has digest ${digest}; do not use this image`,
    );
  }
  return { digest, isIndex, type, bytes };
}

/**
 * The platforms for which an image exists: `linux/amd64`, `linux/arm/v7`.
 *
 * @throws RegistryError
 */
export async function platformsOf(
  image: ImageName,
  { isIndex, bytes }: Resolved,
  signal?: AbortSignal,
): Promise<string[]> {
  const manifest = parseJson(bytes.toString());
  if (isIndex) {
    const { manifests = [] } = Index.safeParse(manifest).data ?? {};
    return manifests.flatMap(({ platform }) => (platform ? [platformText(platform)] : []));
  }
  const name = `${image.registry}/${image.repository}:${image.tag}`;
  const config = Image.safeParse(manifest).data?.config.digest;
  const response = await askRegistry(image, `blobs/${config}`, { accept: '*/*' }, { signal });
  const { data } = Platform.safeParse(parseJson((await limitedBytes(name, response)).toString()));
  if (!response.ok || data === undefined) {
    throw new RegistryError(`${name}: ${image.registry} does not report the image's platform`);
  }
  return [platformText(data)];
}

/** `linux/arm64`, `linux/arm/v7` */
export function platformText({ os, architecture, variant }: z.infer<typeof Platform>): string {
  return [os, architecture, ...(variant && architecture === 'arm' ? [variant] : [])].join('/');
}

/** Whether an image supports a platform. Nodes do not report their version of 32-bit ARM. */
export function isFor(wanted: string, there: string): boolean {
  return there === wanted || there.startsWith(`${wanted}/`);
}

/** All tags of a repository. @throws RegistryError */
export async function listTags(
  repository: Pick<ImageName, 'registry' | 'repository'>,
  signal?: AbortSignal,
): Promise<string[]> {
  const image = { ...repository, tag: '' };
  const name = `${image.registry}/${image.repository}`;
  const response = await askRegistry(
    image,
    'tags/list',
    { accept: 'application/json' },
    { signal },
  );
  const text = (await limitedBytes(name, response)).toString();
  const { data } = Tags.safeParse(parseJson(text));
  if (response.ok && data) return data.tags ?? [];
  throw new RegistryError(
    `${name}: ${image.registry} returned ${response.status} when listing tags`,
  );
}

interface Patience {
  signal?: AbortSignal | undefined;
  /** Instead of 20 s. */
  deadline?: AbortSignal;
  /** Default: GET. */
  method?: 'GET' | 'HEAD';
}

/**
 * A request to the registry of an image, below its repository. Fetches a token if the registry requires one.
 *
 * @throws RegistryError It cannot be reached.
 */
export async function askRegistry(
  { registry, repository, tag }: ImageName,
  path: string,
  headers: Record<string, string>,
  patience: Patience,
): Promise<Response> {
  const name = `${registry}/${repository}${tag && `:${tag}`}`;
  const url = `${originOf(registry)}/v2/${repository}/${path}`;
  const response = await request(name, url, headers, patience);
  if (response.status !== 401) return response;
  const challenge = response.headers.get('www-authenticate') ?? '';
  await response.body?.cancel();
  const authorization = `Bearer ${await tokenFor(name, challenge)}`;
  return await request(name, url, { ...headers, authorization }, patience);
}

/** Docker Hub's registry has a different host name. Loopback does not use TLS, as in Docker. */
function originOf(registry: string): string {
  if (registry === 'docker.io') return 'https://registry-1.docker.io';
  return `${isLoopback(registry) ? 'http' : 'https'}://${registry}`;
}

function isLoopback(host: string): boolean {
  return /^(localhost|127(\.\d+){3}|\[::1\])(:\d+)?$/.test(host);
}

/** An anonymous token from the registry's token server. */
async function tokenFor(name: string, challenge: string): Promise<string> {
  const parameters = new Map(
    [...challenge.matchAll(/(\w+)="([^"]*)"/g)].map(([, key = '', value = '']) => [key, value]),
  );
  const realm = parameters.get('realm') ?? '';
  if (!/^bearer /i.test(challenge) || !URL.canParse(realm)) {
    throw new RegistryError(
      `${name}: the registry uses an unsupported authentication scheme; skolo can read only public images`,
    );
  }
  const url = new URL(realm);
  if (url.protocol !== 'https:' && !isLoopback(url.host)) {
    throw new RegistryError(`${name}: the token server does not use TLS: ${url.origin}`);
  }
  for (const key of ['service', 'scope']) {
    const value = parameters.get(key);
    if (value !== undefined) url.searchParams.set(key, value);
  }
  const response = await request(name, url.href, { accept: 'application/json' });
  const text = (await limitedBytes(name, response)).toString();
  const { data } = Token.safeParse(parseJson(text));
  const token = data?.token ?? data?.access_token;
  if (!response.ok || token === undefined) {
    throw new RegistryError(
      `${name}: ${url.host} did not issue an anonymous token (${response.status}); skolo can read only public images`,
    );
  }
  return token;
}

async function request(
  name: string,
  url: string,
  headers: Record<string, string>,
  { signal, deadline = AbortSignal.timeout(deadlineMs), method = 'GET' }: Patience = {},
): Promise<Response> {
  try {
    return await internetFetch(url, {
      method,
      // A registry redirects to the storage of what it has, which may accept GET alone.
      redirect: method === 'HEAD' ? 'manual' : 'follow',
      headers,
      signal: signal ? AbortSignal.any([deadline, signal]) : deadline,
    });
  } catch (cause) {
    signal?.throwIfAborted();
    const { host } = new URL(url);
    const isLate = cause instanceof Error && cause.name === 'TimeoutError';
    const why = isLate ? 'did not respond in time' : 'is unreachable';
    throw new RegistryError(`${name}: ${host}${throughProxy(url)} ${why}; try again later`, {
      cause,
    });
  }
}

async function limitedBytes(name: string, { body }: Response): Promise<Buffer> {
  const tooLarge = () => new RegistryError(`${name}: the response exceeds 4 MiB`);
  try {
    return await bytesUpTo(maxManifestBytes, body ?? [], tooLarge);
  } catch (cause) {
    if (cause instanceof RegistryError) throw cause;
    throw new RegistryError(`${name}: the response was cut off; try again`, { cause });
  }
}
