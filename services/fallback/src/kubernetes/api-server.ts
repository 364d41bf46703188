/** The API server of k3s on this computer, by the kubeconfig that k3s writes. */
import { readFile } from 'node:fs/promises';
import { errorCode, errorText, parseJson } from '@skolo/base';
import { type RequestOptions, request } from '@skolo/base/request';
import { z } from 'zod';

const usualTimeoutMs = 5000;
/** ConfigMaps and Secrets have at most 1 MiB, before base64. */
const mostBytes = 8 * 1024 * 1024;

/** k3s is `absent` (not installed) or `silent` (no answer, or not as it should be). */
export class KubernetesUnavailable extends Error {
  readonly code = 'KUBERNETES_UNAVAILABLE';
  readonly state: 'absent' | 'silent';

  constructor(state: 'absent' | 'silent', message: string) {
    super(message);
    this.state = state;
  }
}

const Status = z.object({ message: z.string() });

export interface ApiServer {
  /** Undefined where there is no such object. */
  get<T>(path: string, schema: z.ZodType<T>): Promise<T | undefined>;
  /** @param type default: a merge patch (RFC 7386) */
  patch(path: string, change: object, type?: string): Promise<void>;
  /** Also where there is no such object. */
  remove(path: string): Promise<void>;
}

/**
 * Asks k3s whether it is ready. Reads the kubeconfig each time: k3s renews its certificates when it starts.
 *
 * @throws KubernetesUnavailable also from the methods
 */
export async function openApiServer(
  kubeconfigFile: string,
  timeoutMs = usualTimeoutMs,
): Promise<ApiServer> {
  const { server, ...tls } = await readKubeconfig(kubeconfigFile);

  async function call(path: string, options: Omit<RequestOptions, 'timeoutMs'> = {}) {
    const all = { ...tls, ...options, timeoutMs, mostBytes };
    const answer = await request(new URL(path, server), all).catch((error) => {
      throw silent(`k3s is not responding (${errorText(error)})`);
    });
    if (answer.status === 404) return undefined;
    if (answer.status < 200 || answer.status > 299) {
      const { message } = Status.safeParse(parseJson(answer.text)).data ?? {};
      throw silent(`k3s returns ${answer.status}${message ? `: ${message.slice(0, 300)}` : ''}`);
    }
    return answer.text;
  }

  if ((await call('/readyz')) === undefined) throw silent('k3s returns 404');
  return {
    async get(path, schema) {
      const body = await call(path);
      if (body === undefined) return undefined;
      const { data } = schema.safeParse(parseJson(body));
      if (data === undefined) throw silent(`k3s returns an unexpected response for ${path}`);
      return data;
    },
    async patch(path, change, type = 'application/merge-patch+json') {
      const headers = { 'content-type': type };
      const body = JSON.stringify(change);
      if ((await call(path, { method: 'PATCH', headers, body })) === undefined) {
        throw silent(`k3s has no ${path}`);
      }
    },
    async remove(path) {
      await call(path, { method: 'DELETE' });
    },
  };
}

/** One cluster, one user, one line a key. */
async function readKubeconfig(file: string) {
  const text = await readFile(file, 'utf8').catch((error) => {
    throw errorCode(error) === 'ENOENT'
      ? new KubernetesUnavailable('absent', 'k3s is not installed')
      : silent(`${file}: not readable; run the command as root`);
  });
  const value = (key: string) =>
    text.match(new RegExp(`^\\s*(?:- )?${key}: *(\\S+)\\s*$`, 'm'))?.[1];
  const data = (key: string) => Buffer.from(value(key) ?? '', 'base64').toString() || undefined;
  const server = value('server');
  if (server === undefined || !URL.canParse(server)) {
    throw silent(`${file}: contains no server; check that it is the file that k3s writes`);
  }
  return {
    server,
    ca: data('certificate-authority-data'),
    cert: data('client-certificate-data'),
    key: data('client-key-data'),
  };
}

function silent(message: string): KubernetesUnavailable {
  return new KubernetesUnavailable('silent', message);
}
