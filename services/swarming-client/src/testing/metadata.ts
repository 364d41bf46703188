/** The part of a metadata server that an agent and its bot use: tokens, and the machine's entry in rack.yaml. */

import { createPrivateKey } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createSigner, type Signer } from '@skolo/api';
import { sha256 } from '@skolo/base';
import { agentPublicKey, newAgentKey } from '@skolo/base/secrets';
import { machinePartOf, parseRack } from '@skolo/rack';
import { startScripted } from '@skolo/scripted-services/service';

export interface TestMetadata {
  url: string;
  /** The current answer to token requests. */
  token: string;
  tokensGiven: number;
  /** Replaces rack.yaml, and notifies waiting clients. Undefined: it knows no machine. */
  setRack(text: string | undefined): void;
  /** Stops answering until it is told to resume. */
  setDown(isDown: boolean): void;
  close(): Promise<void>;
}

/** Signs requests to the agents of all tests. */
const agentKey = newAgentKey();

export function signerFor(machine: string): Signer {
  return createSigner(createPrivateKey(agentKey.reveal()), { rack: 'rack4', machine });
}

export async function startMetadata(machine: string): Promise<TestMetadata> {
  let machinePart: string | undefined;
  let isDown = false;
  const waiting = new Set<() => void>();

  const etagOf = (text: string) => sha256(text).slice(0, 16);

  function answer(request: IncomingMessage, response: ServerResponse) {
    const url = new URL(request.url ?? '/', 'http://metadata');
    if (isDown) return void request.socket.destroy();
    if (request.headers['metadata-flavor'] !== 'Google') return send(response, 403, 'no header');
    if (url.pathname.endsWith('/service-accounts/default/token')) {
      metadata.tokensGiven += 1;
      return send(
        response,
        200,
        JSON.stringify({ access_token: metadata.token, expires_in: 3600 }),
      );
    }
    if (!url.pathname.endsWith('/attributes/skolo-machine')) return send(response, 404, 'nothing');
    if (machinePart === undefined) return send(response, 404, `${machine} is not known`);
    if (url.searchParams.get('last_etag') !== etagOf(machinePart))
      return send(response, 200, machinePart);
    const again = () => {
      waiting.delete(again);
      answer(request, response);
    };
    waiting.add(again);
  }

  function send(response: ServerResponse, status: number, text: string): void {
    response.writeHead(status, { 'metadata-flavor': 'Google', etag: etagOf(text) }).end(text);
  }

  function wakeAll() {
    for (const again of [...waiting]) again();
  }

  const scripted = await startScripted('metadata-server', {});
  scripted.instead = answer;
  const metadata: TestMetadata = {
    url: scripted.url,
    token: 'ya29.first',
    tokensGiven: 0,
    setRack(text) {
      machinePart = text === undefined ? undefined : partOf(text, machine);
      wakeAll();
    },
    setDown(now) {
      isDown = now;
      if (isDown) wakeAll();
    },
    close: scripted.close,
  };
  return metadata;
}

function partOf(text: string, name: string): string {
  const rack = parseRack(text, { file: 'rack.yaml' });
  const machine = rack.machines.get(name);
  if (machine === undefined) throw new Error(`the rack has no ${name}`);
  const { anonymousRead } = rack.access;
  const agent = { publicKey: agentPublicKey(agentKey), anonymousRead };
  return JSON.stringify({ ...machinePartOf(rack, machine), agent });
}
