/**
 * The cluster that a Pi joins: which nodes are alive, and a token for one more. This service has only the rights granted in
 * kube/components/enrolment.
 */
import { randomInt, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { errorText, parseJson, sha256 } from '@skolo/base';
import { request } from '@skolo/base/request';
import { readSecret, Secret } from '@skolo/base/secrets';
import type { Rack } from '@skolo/rack';
import { z } from 'zod';

/** The API server does not respond, or rejects a request. */
export class ClusterUnavailable extends Error {}

/** When a token expires, by this computer's clock. */
export const tokenSeconds = 900;
const timeoutMs = 10_000;
const mostBytes = 16 * 1024 * 1024;

const Nodes = z.object({
  items: z.array(
    z.object({
      metadata: z.object({ name: z.string() }),
      status: z
        .object({
          conditions: z.array(z.object({ type: z.string(), status: z.string() })).optional(),
        })
        .optional(),
    }),
  ),
});

export class Cluster {
  private readonly rack: () => Rack;
  private readonly signal: AbortSignal;

  constructor({ rack, signal }: { rack: () => Rack; signal: AbortSignal }) {
    this.rack = rack;
    this.signal = signal;
  }

  /** Names of nodes that are Ready. @throws ClusterUnavailable */
  async readyNodes(): Promise<Set<string>> {
    const { items } = Nodes.parse((await this.ask('GET', '/api/v1/nodes')).body);
    const isReady = items.filter(({ status }) =>
      status?.conditions?.some((each) => each.type === 'Ready' && each.status === 'True'),
    );
    return new Set(isReady.map(({ metadata }) => metadata.name));
  }

  /**
   * Removes a node and its password, so that another card can have the name. k3s rejects a computer with a different password. Source:
   * docs.k3s.io, Node Registration: the Secret `NAME.node-password.k3s`.
   *
   * @throws ClusterUnavailable
   */
  async forget(name: string): Promise<void> {
    const node = encodeURIComponent(name);
    await this.ask('DELETE', `/api/v1/nodes/${node}`);
    await this.ask('DELETE', `/api/v1/namespaces/kube-system/secrets/${node}.node-password.k3s`);
  }

  /**
   * A token with which one agent joins, including the digest of the CA. Valid for agents only, not for servers. Source: k3s, pkg/cli/token
   * and pkg/clientaccess/token.go; kubernetes.io, Bootstrap Tokens.
   *
   * @throws ClusterUnavailable
   */
  async newToken(name: string, now: number): Promise<Secret> {
    const [id, secret] = [randomText(6), randomText(16)];
    await this.ask('POST', '/api/v1/namespaces/kube-system/secrets', {
      apiVersion: 'v1',
      kind: 'Secret',
      type: 'bootstrap.kubernetes.io/token',
      metadata: { name: `bootstrap-token-${id}`, namespace: 'kube-system' },
      stringData: {
        description: `${name} joins`,
        'token-id': id,
        'token-secret': secret,
        expiration: new Date(now + tokenSeconds * 1000).toISOString(),
        'usage-bootstrap-authentication': 'true',
        'usage-bootstrap-signing': 'true',
        'auth-extra-groups': 'system:bootstrappers:k3s:default-node-token',
      },
    });
    const { ca } = await this.account();
    return new Secret(`K10${digestOfCa(ca)}::${id}.${secret}`);
  }

  private async account() {
    const rack = this.rack();
    const { enrolment } = rack.services['machine-state'];
    if (enrolment === undefined)
      throw new ClusterUnavailable('rack.yaml does not set services.machine-state.enrolment');
    // Kubernetes renews both.
    const file = (name: string) => resolve(rack.dir, enrolment.serviceAccount, name);
    return {
      url: enrolment.apiServer,
      // Byte for byte: the cluster's digest is that of the file.
      ca: await readFile(file('ca.crt'), 'utf8'),
      token: (await readSecret(rack, { file: file('token') })).reveal().trim(),
    };
  }

  /** 404 is a valid answer to `DELETE`. */
  private async ask(
    method: 'GET' | 'POST' | 'DELETE',
    path: string,
    content?: object,
  ): Promise<{ body: unknown }> {
    try {
      const { url, ca, token } = await this.account();
      const { status, text } = await request(new URL(path, url), {
        method,
        ca,
        signal: this.signal,
        timeoutMs,
        mostBytes,
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        ...(content && { body: JSON.stringify(content) }),
      });
      const isGone = method === 'DELETE' && status === 404;
      // Its text could quote the request.
      if (status >= 300 && !isGone)
        throw new Error(`${method} of ${kindOf(path)}: status ${status}`);
      const body = parseJson(text);
      if (body === undefined)
        throw new Error(`${method} of ${kindOf(path)}: not JSON, or too large`);
      return { body };
    } catch (error) {
      throw new ClusterUnavailable(errorText(error), { cause: error });
    }
  }
}

function kindOf(path: string): string {
  return path.includes('/secrets') ? 'a secret' : 'nodes';
}

/** Of the file, or of the root's DER if the file has more than one certificate. Source: k3s, pkg/clientaccess/token.go, hashCA. */
export function digestOfCa(pem: string): string {
  const [first, ...others] = (
    pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? []
  ).map((each) => new X509Certificate(each));
  const root = first && others.length > 0 ? rootOf(first, others) : undefined;
  return sha256(root?.raw ?? pem);
}

function rootOf(first: X509Certificate, others: readonly X509Certificate[]) {
  let at = first;
  for (const _ of others) {
    const issuer = others.find((each) => at.checkIssued(each) && at.verify(each.publicKey));
    if (issuer === undefined) return undefined;
    if (issuer.checkIssued(issuer)) return issuer;
    at = issuer;
  }
  return undefined;
}

function randomText(length: number): string {
  const letters = 'abcdefghijklmnopqrstuvwxyz0123456789';
  return Array.from({ length }, () => letters[randomInt(letters.length)]).join('');
}
