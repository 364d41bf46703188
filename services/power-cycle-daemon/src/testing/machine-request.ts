/** Sends what a machine's agent sends to the daemon, from the machine's address. */
import { createPrivateKey } from 'node:crypto';
import { agentKeyHeader, createSigner } from '@skolo/api/signature';
import { agentPublicKey, type Secret } from '@skolo/base/secrets';
import { sendRequest } from '@skolo/base/testing';

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
  signer.learn({ get: (name) => first.headers[name]?.toString() ?? null });
  const method = body === undefined ? 'GET' : 'POST';
  const json = body === undefined ? '' : JSON.stringify(body);
  const signed = signer.sign({ method, target: path, body: json });
  const headers = { ...signed, [agentKeyHeader]: agentPublicKey(key) };
  const { status, body: told } = await send(asked, headers);
  return { status, body: told };
}

/** Unchanged, with these headers. */
async function send({ url, from, path, body }: MachineRequest, own: Record<string, string>) {
  const isRead = body === undefined;
  const { status, headers, text } = await sendRequest(Number(new URL(url).port), path, {
    from,
    method: isRead ? 'GET' : 'POST',
    headers: { ...own, ...(!isRead && { 'content-type': 'application/json' }) },
    ...(!isRead && { body: JSON.stringify(body) }),
  });
  return { status, headers, body: JSON.parse(text) as unknown };
}
