/**
 * What a tag stands for in a container registry.
 *
 * Sources: OCI Distribution Specification 1.1 (pulling manifests), Docker Registry token authentication
 * (`WWW-Authenticate: Bearer realm=…,service=…,scope=…`).
 */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { CliError } from '../../errors.ts';
import type { ImageReference } from './manifests.ts';

/** Those of several platforms first: a rack has amd64 and arm64, so a digest has to stand for all of them. */
const listTypes = [
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
];
const imageTypes = [
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.v2+json',
];
/** The specification asks registries to take manifests of 4 MiB. */
const maxManifestBytes = 4 * 1024 * 1024;
const deadlineMs = 20_000;

const Token = z.looseObject({ token: z.string().optional(), access_token: z.string().optional() });

interface RegistryDeps {
  fetch: typeof fetch;
}

/** A tag, resolved. */
interface Resolved {
  /** `sha256:…` of the manifest that the registry sent. */
  digest: string;
  /** Whether it is an index, with an image for each platform. */
  isIndex: boolean;
}

/**
 * Asks the registry, without credentials, which manifest the tag stands for now. The digest is computed from the bytes;
 * the registry's own word for it is only compared.
 *
 * @throws CliError The registry cannot be reached, refuses, or sends something else.
 */
export async function resolveTag(
  { registry, repository, tag }: ImageReference,
  { fetch }: RegistryDeps,
): Promise<Resolved> {
  const name = `${registry}/${repository}:${tag}`;
  const url = `${originOf(registry)}/v2/${repository}/manifests/${tag}`;
  const accept = [...listTypes, ...imageTypes].join(', ');
  const ask = (headers: Record<string, string>) =>
    request(name, url, { accept, ...headers }, fetch);
  let response = await ask({});
  if (response.status === 401) {
    const challenge = response.headers.get('www-authenticate') ?? '';
    await response.body?.cancel();
    const authorization = `Bearer ${await tokenFor(name, challenge, fetch)}`;
    response = await ask({ authorization });
  }
  if (response.status === 404) {
    throw new CliError(`${name}: ${registry} has no such tag; correct it in the manifest`);
  }
  if (!response.ok) {
    throw new CliError(`${name}: ${registry} answered ${response.status}; try again later`);
  }
  const type = response.headers.get('content-type')?.split(';')[0]?.trim() ?? '';
  const isIndex = listTypes.includes(type);
  if (!isIndex && !imageTypes.includes(type)) {
    throw new CliError(`${name}: ${registry} sent ${type || 'no type'} instead of a manifest`);
  }
  const bytes = await limitedBytes(name, response);
  const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
  const stated = response.headers.get('docker-content-digest');
  if (stated !== null && stated !== digest) {
    throw new CliError(
      `${name}: ${registry} states the digest ${stated} for a manifest whose digest is ${digest}; do not use it`,
    );
  }
  return { digest, isIndex };
}

/** Docker Hub's registry has another name than its images. Loopback is asked without TLS, as docker does. */
function originOf(registry: string): string {
  if (registry === 'docker.io') return 'https://registry-1.docker.io';
  return `${isLoopback(registry) ? 'http' : 'https'}://${registry}`;
}

function isLoopback(host: string): boolean {
  return /^(localhost|127(\.\d+){3}|\[::1\])(:\d+)?$/.test(host);
}

/** An anonymous token, from the server that the registry names. */
async function tokenFor(name: string, challenge: string, fetch: RegistryDeps['fetch']) {
  const parameters = new Map(
    [...challenge.matchAll(/(\w+)="([^"]*)"/g)].map(([, key = '', value = '']) => [key, value]),
  );
  const realm = parameters.get('realm') ?? '';
  if (!/^bearer /i.test(challenge) || !URL.canParse(realm)) {
    throw new CliError(
      `${name}: the registry asks for a sign-in other than a token; only public images can be pinned`,
    );
  }
  const url = new URL(realm);
  if (url.protocol !== 'https:' && !isLoopback(url.host)) {
    throw new CliError(`${name}: the registry names a token server without TLS: ${url.origin}`);
  }
  for (const key of ['service', 'scope']) {
    const value = parameters.get(key);
    if (value !== undefined) url.searchParams.set(key, value);
  }
  const response = await request(name, url.href, { accept: 'application/json' }, fetch);
  const { data } = Token.safeParse(parsedJson(await limitedBytes(name, response)));
  const token = data?.token ?? data?.access_token;
  if (!response.ok || token === undefined) {
    throw new CliError(
      `${name}: ${url.host} gives no token without a sign-in (${response.status}); only public images can be pinned`,
    );
  }
  return token;
}

async function request(
  name: string,
  url: string,
  headers: Record<string, string>,
  fetch: RegistryDeps['fetch'],
): Promise<Response> {
  try {
    return await fetch(url, { headers, signal: AbortSignal.timeout(deadlineMs) });
  } catch (cause) {
    const { host } = new URL(url);
    const isLate = cause instanceof Error && cause.name === 'TimeoutError';
    const why = isLate ? `sent no answer within ${deadlineMs / 1000} s` : 'cannot be reached';
    throw new CliError(`${name}: ${host} ${why}; try again when it can`, undefined, { cause });
  }
}

async function limitedBytes(name: string, { body }: Response): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const chunk of body ?? []) {
      size += chunk.length;
      if (size > maxManifestBytes) break;
      chunks.push(chunk);
    }
  } catch (cause) {
    throw new CliError(`${name}: the answer ended early; try again`, undefined, { cause });
  }
  if (size > maxManifestBytes) throw new CliError(`${name}: the answer is over 4 MiB`);
  return Buffer.concat(chunks);
}

function parsedJson(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch {
    return undefined;
  }
}
