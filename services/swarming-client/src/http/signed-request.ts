/**
 * Requests that this machine signs with its own key, generated when it first starts. This lets the power-cycle daemon distinguish it from
 * anything that takes its address. Root on this machine can use the key, for this machine only.
 */
import { createPrivateKey } from 'node:crypto';
import { join } from 'node:path';
import { agentKeyHeader, createSigner, type Receiver } from '@skolo/api/signature';
import { readFileIfExists, writeFileAtomic } from '@skolo/base/durable/atomic-file';
import { type Answer, type RequestOptions, request } from '@skolo/base/request';
import { agentPublicKey, newAgentKey, Secret } from '@skolo/base/secrets';

/** As {@link request}. */
export type SendRequest = (url: string, options: RequestOptions) => Promise<Answer>;

/** @param own undefined until this machine knows its part of rack.yaml */
export function signedRequests(stateDir: string, own: () => Receiver | undefined): SendRequest {
  const path = join(stateDir, 'own-key.pem');
  let opening: ReturnType<typeof open> | undefined;
  let rack: string | undefined;

  async function open(receiver: Receiver) {
    const kept = await readFileIfExists(path);
    const secret = kept === undefined ? newAgentKey() : new Secret(kept);
    const signer = createSigner(createPrivateKey(secret.reveal()), receiver);
    // On the disk first: the daemon remembers it permanently.
    if (kept === undefined) await writeFileAtomic(path, secret.reveal());
    return { signer, key: agentPublicKey(secret) };
  }

  /** One key, even if two requests are made at the first start. A failure is not kept. */
  function identity(receiver: Receiver): ReturnType<typeof open> {
    if (opening === undefined || rack !== receiver.rack) {
      rack = receiver.rack;
      opening = open(receiver);
      opening.catch(() => {
        opening = undefined;
      });
    }
    return opening;
  }

  /** @throws FileNotWritten The key cannot be stored. @throws Unreachable */
  return async function send(url, options) {
    const receiver = own();
    if (receiver === undefined) return await request(url, options);
    const { signer, key } = await identity(receiver);
    const { method = 'GET', body = '', headers } = options;
    const { pathname, search } = new URL(url);
    const signed = () => signer.sign({ method, target: `${pathname}${search}`, body });
    const ask = async (more: Record<string, string> | undefined) => {
      const given = { ...headers, ...more, ...(more && { [agentKeyHeader]: key }) };
      const answer = await request(url, { ...options, headers: given });
      signer.learn({ get: (name) => answer.headers[name]?.toString() ?? null });
      return answer;
    };
    const answer = await ask(signed());
    // As in `createClient`.
    const again = answer.status === 401 ? signed() : undefined;
    return again === undefined ? answer : await ask(again);
  };
}
