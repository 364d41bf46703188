/** Sends what a machine's agent sends to the daemon, from the machine's address. */
import { createPrivateKey } from 'node:crypto';
import { request } from 'node:http';
import { text } from 'node:stream/consumers';
import { agentKeyHeader, createSigner } from '@skolo/api/signature';
import { agentPublicKey, type Secret } from '@skolo/secrets';

export interface MachineRequest {
  url: string;
  /** The address of the machine. */
  from: string;
  path: string;
  /** Absent: a GET. */
  body?: object | undefined;
  machine?: string;
  /** Absent: it is not signed. */
  key?: Secret | undefined;
}

interface MachineAnswer {
  status: number;
  body: unknown;
}

/** Requests a challenge, and repeats the request with a signature if there is a key. */
export async function sendAsMachine(asked: MachineRequest): Promise<MachineAnswer> {
  const { key, machine = 'a', path, body } = asked;
  const first = await send(asked, {});
  if (key === undefined) return first;
  const signer = createSigner(createPrivateKey(key.reveal()), { rack: 'rack1', machine });
  signer.learn({ get: (name) => first.headers[name] ?? null });
  const method = body === undefined ? 'GET' : 'POST';
  const json = body === undefined ? '' : JSON.stringify(body);
  const signed = signer.sign({ method, target: path, body: json });
  const headers = { ...signed, [agentKeyHeader]: agentPublicKey(key) };
  const { status, body: told } = await send(asked, headers);
  return { status, body: told };
}

/** Unchanged, with these headers. */
function send(
  { url, from, path, body }: MachineRequest,
  headers: Record<string, string>,
): Promise<MachineAnswer & { headers: Record<string, string | undefined> }> {
  return new Promise((resolve, reject) => {
    const sent = request({
      host: '127.0.0.1',
      port: new URL(url).port,
      path,
      localAddress: from,
      agent: false,
      method: body === undefined ? 'GET' : 'POST',
      headers: { ...headers, ...(body !== undefined && { 'content-type': 'application/json' }) },
    });
    sent.on('response', async (response) => {
      const accept = response.headers['accept-signature']?.toString();
      const told = JSON.parse(await text(response));
      resolve({
        status: response.statusCode ?? 0,
        body: told,
        headers: { 'accept-signature': accept },
      });
    });
    sent.on('error', reject);
    sent.end(body === undefined ? undefined : JSON.stringify(body));
  });
}
