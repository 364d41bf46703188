/**
 * What a tag stands for in a container registry.
 *
 * Sources: OCI Distribution Specification 1.1 (pulling manifests), Docker Registry token authentication
 * (`WWW-Authenticate: Bearer realm=…,service=…,scope=…`).
 */
import { createHash } from 'node:crypto';
import { parseJson } from '@skolo/errors';
import { z } from 'zod';
import { CliError } from '../../errors.ts';
import type { ImageReference } from './manifests.ts';

/** Indexes first: a rack has amd64 and arm64, so a digest must cover both. */
const listTypes = [
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
];
const imageTypes = [
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.v2+json',
];
/** The specification requires registries to accept manifests of 4 MiB. */
const maxManifestBytes = 4 * 1024 * 1024;
const deadlineMs = 20_000;

const Token = z.looseObject({ token: z.string().optional(), access_token: z.string().optional() });

/** A tag, resolved. */
interface Resolved {
  /** `sha256:…` of the manifest that the registry sent. */
  digest: string;
  /** Whether it has an image for each platform. */
  isIndex: boolean;
}

/**
 * Asks the registry, without credentials, for the manifest of the tag. Computes the digest from the bytes and compares
 * it with the stated one.
 *
 * @throws CliError The registry cannot be reached, rejects the request, or sends no manifest.
 */
export async function resolveTag({ registry, repository, tag }: ImageReference): Promise<Resolved> {
  const name = `${registry}/${repository}:${tag}`;
  const url = `${originOf(registry)}/v2/${repository}/manifests/${tag}`;
  const accept = [...listTypes, ...imageTypes].join(', ');
  const ask = (headers: Record<string, string>) => request(name, url, { accept, ...headers });
  let response = await ask({});
  if (response.status === 401) {
    const challenge = response.headers.get('www-authenticate') ?? '';
    await response.body?.cancel();
    const authorization = `Bearer ${await tokenFor(name, challenge)}`;
    response = await ask({ authorization });
  }
  if (response.status === 404) {
    throw new CliError(`${name}: no such tag at ${registry}; correct the manifest`);
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

/** Docker Hub's registry has another host name. Loopback uses no TLS, as in docker. */
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
    throw new CliError(
      `${name}: unsupported authentication scheme; only public images can be pinned`,
    );
  }
  const url = new URL(realm);
  if (url.protocol !== 'https:' && !isLoopback(url.host)) {
    throw new CliError(`${name}: the token server has no TLS: ${url.origin}`);
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
    throw new CliError(
      `${name}: ${url.host} requires a sign-in (${response.status}); only public images can be pinned`,
    );
  }
  return token;
}

async function request(
  name: string,
  url: string,
  headers: Record<string, string>,
): Promise<Response> {
  try {
    return await fetch(url, { headers, signal: AbortSignal.timeout(deadlineMs) });
  } catch (cause) {
    const { host } = new URL(url);
    const isLate = cause instanceof Error && cause.name === 'TimeoutError';
    const why = isLate ? `did not answer within ${deadlineMs / 1000} s` : 'cannot be reached';
    throw new CliError(`${name}: ${host} ${why}; try again later`, undefined, { cause });
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
    throw new CliError(`${name}: the response ended early; try again`, undefined, { cause });
  }
  if (size > maxManifestBytes) throw new CliError(`${name}: the response exceeds 4 MiB`);
  return Buffer.concat(chunks);
}
