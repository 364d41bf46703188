import { type SendOptions, type Reply as Sent, sendRequest } from '@skolo/base/testing';

export interface Reply extends Omit<Sent, 'text'> {
  body: string;
}

export const flavor = { 'Metadata-Flavor': 'Google' };

/** By default a request of a machine. */
export async function ask(port: number, path: string, options: SendOptions = {}): Promise<Reply> {
  const asked = { headers: flavor, from: '127.0.1.1', ...options };
  const { text: body, ...reply } = await sendRequest(port, path, asked);
  return { ...reply, body };
}
