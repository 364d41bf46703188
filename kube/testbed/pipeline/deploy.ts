/**
 * Second step of the pipeline: checks that the registry has the new image for every platform, and rolls it out by its digest.
 * `node deploy.ts`; settings are variables.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { env, stdout } from 'node:process';
import { setTimeout as pause } from 'node:timers/promises';
import { list, text } from './settings.ts';

const deadline = AbortSignal.timeout(Number(text(env, 'DEPLOY_SECONDS')) * 1000);
const digest = await builtDigest(text(env, 'BUILD_FILE'));
const missing = await missingPlatforms(digest);
if (missing.length > 0) throw new Error(`the image has nothing for ${missing.join(', ')}`);
const image = `${text(env, 'PULL_FROM')}@${digest}`;
const deployment = await apply(image);
stdout.write(`${image}: applied\n`);
await untilRolledOut(deployment);
await writeFile(text(env, 'IMAGE_FILE'), `${image}\n`);
stdout.write(`${image}: runs\n`);

/** From the file of `buildctl build --metadata-file`. */
async function builtDigest(file: string): Promise<string> {
  const value: unknown = JSON.parse(await readFile(file, 'utf8'));
  const found = at(value, 'containerimage.digest');
  if (typeof found === 'string' && /^sha256:[0-9a-f]{64}$/.test(found)) return found;
  throw new Error(`${file}: no digest of an image; see the log of the step build`);
}

/** Of the platforms that the pipeline builds for. */
async function missingPlatforms(wanted: string): Promise<string[]> {
  const url = new URL(`manifests/${wanted}`, `${text(env, 'REGISTRY_URL')}/`);
  const accept = 'application/vnd.oci.image.index.v1+json';
  const response = await fetch(url, { headers: { accept }, signal: deadline });
  if (!response.ok) throw new Error(`${url}: ${response.status} ${response.statusText}`);
  const manifests = at(await response.json(), 'manifests');
  const found = (Array.isArray(manifests) ? manifests : []).map((each: unknown) => {
    const parts = ['os', 'architecture', 'variant'].map((name) => at(at(each, 'platform'), name));
    return parts.filter((part) => typeof part === 'string').join('/');
  });
  // The variant v8 of arm64 need not be named.
  return list(env, 'PLATFORMS').filter(
    (platform) => !found.some((each) => each === platform || each === `${platform}/v8`),
  );
}

/** Applies the Deployment on the server, with the image by digest. @returns its path in the API */
async function apply(reference: string): Promise<string> {
  const manifest = await readFile(text(env, 'MANIFEST'), 'utf8');
  const placeholder = 'image: demo:built';
  if (!manifest.includes(placeholder)) throw new Error(`MANIFEST: no "${placeholder}"`);
  const path = `/apis/apps/v1/namespaces/${text(env, 'NAMESPACE')}/deployments/demo`;
  await callApi(`${path}?fieldManager=pipeline&force=true`, {
    method: 'PATCH',
    headers: { 'content-type': 'application/apply-patch+yaml' },
    body: manifest.replace(placeholder, `image: ${reference}`),
  });
  return path;
}

/** As `kubectl rollout status`, with what the Deployment says at the end of the time. */
async function untilRolledOut(path: string): Promise<void> {
  let state = '';
  try {
    for (;;) {
      const found = await callApi(path, {});
      const status = at(found, 'status');
      const wanted = at(at(found, 'spec'), 'replicas');
      const isSeen = at(status, 'observedGeneration') === at(at(found, 'metadata'), 'generation');
      const figures = ['replicas', 'updatedReplicas', 'availableReplicas'].map(
        (name) => at(status, name) ?? 0,
      );
      if (isSeen && figures.every((each) => each === wanted)) return;
      state = `${figures[1]} of ${wanted} pods are new, ${figures[2]} are available`;
      await pause(1000, undefined, { signal: deadline });
    }
  } catch (error) {
    if (!deadline.aborted) throw error;
    throw new Error(`not rolled out in time: ${state}; see kubectl get pods -n testbed-demo`);
  }
}

/** The token expires and is renewed in its file. The authority is in NODE_EXTRA_CA_CERTS. */
async function callApi(path: string, { headers, ...init }: RequestInit): Promise<unknown> {
  const token = (await readFile(text(env, 'TOKEN_FILE'), 'utf8')).trim();
  const response = await fetch(new URL(path, text(env, 'API_URL')), {
    ...init,
    headers: { ...headers, authorization: `Bearer ${token}` },
    signal: deadline,
  });
  if (!response.ok) throw new Error(`${path}: ${response.status}: ${await response.text()}`);
  return await response.json();
}

function at(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null
    ? Object.entries(value).find(([name]) => name === key)?.[1]
    : undefined;
}
