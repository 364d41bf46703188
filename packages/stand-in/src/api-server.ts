/** The API server of k3s on this computer, with a time limit on everything that is asked of it. */
import { readFile } from 'node:fs/promises';
import { errorCode, errorText, parseJson } from '@skolo/errors';
import type { z } from 'zod';
import { ask, type HttpAnswer, type HttpOptions } from './http.ts';
import { type Kubeconfig, parseKubeconfig } from './kubeconfig.ts';

/** There is no k3s here. */
export class NoKubernetes extends Error {
  readonly code = 'NO_KUBERNETES';
}

/** It does not answer, or not as it should. */
export class KubernetesSilent extends Error {
  readonly code = 'KUBERNETES_SILENT';
}

/** What was asked for is not there. */
export class NotThere extends Error {
  readonly code = 'NOT_THERE';
}

const timeoutMs = 5000;

export interface ApiServer {
  get<T>(path: string, schema: z.ZodType<T>): Promise<T>;
  /** A merge patch (RFC 7386). */
  patch(path: string, change: object): Promise<void>;
  remove(path: string): Promise<void>;
}

/** Asks it whether it is ready. The kubeconfig is read each time: k3s renews its certificates when it starts. */
export async function openApiServer(kubeconfigFile: string): Promise<ApiServer> {
  const config = await readKubeconfig(kubeconfigFile);
  const call = (path: string, options: Omit<HttpOptions, 'timeoutMs' | 'tls'> = {}) =>
    request(config, path, options);
  await call('/readyz');
  return {
    async get(path, schema) {
      const { body } = await call(path);
      const parsed = schema.safeParse(parseJson(body));
      if (!parsed.success) {
        throw new KubernetesSilent('k3s answers with something that is not of Kubernetes');
      }
      return parsed.data;
    },
    async patch(path, change) {
      const headers = { 'content-type': 'application/merge-patch+json' };
      await call(path, { method: 'PATCH', headers, body: JSON.stringify(change) });
    },
    async remove(path) {
      await call(path, { method: 'DELETE' });
    },
  };
}

async function readKubeconfig(file: string): Promise<Kubeconfig> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    const isMissing = errorCode(error) === 'ENOENT';
    throw isMissing
      ? new NoKubernetes('there is no k3s here')
      : new KubernetesSilent(`${file} cannot be read: run it as root`);
  }
  try {
    return parseKubeconfig(text);
  } catch (error) {
    throw new KubernetesSilent(`${file}: ${errorText(error)}`);
  }
}

async function request(
  { server, ca, cert, key }: Kubeconfig,
  path: string,
  options: Omit<HttpOptions, 'timeoutMs' | 'tls'>,
): Promise<HttpAnswer> {
  const tls = { ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) };
  let answer: HttpAnswer;
  try {
    answer = await ask(new URL(path, server), { ...options, timeoutMs, tls });
  } catch (error) {
    throw new KubernetesSilent(`k3s does not answer (${errorText(error)})`);
  }
  if (answer.status === 404) throw new NotThere(`k3s has no ${path}`);
  if (answer.status < 200 || answer.status > 299) {
    throw new KubernetesSilent(`k3s answers with ${answer.status}`);
  }
  return answer;
}
