/** One HTTP request with limits of time and size. */
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { request as overHttps, type RequestOptions } from 'node:https';
import { errorCode, errorText } from '@skolo/base';
import { request as overHttp } from '@skolo/base/http';

export interface HttpAnswer {
  status: number;
  headers: IncomingMessage['headers'];
  body: string;
}

const timeoutMs = 5000;
/** ConfigMaps and Secrets have at most 1 MiB, before base64. */
const maxBytes = 8 * 1024 * 1024;

/** Throws an error with the reason: `ECONNREFUSED`, `no response within 5 s`. */
export async function ask(
  url: URL,
  { body, ...options }: RequestOptions & { body?: string } = {},
): Promise<HttpAnswer> {
  const signal = AbortSignal.timeout(timeoutMs);
  const send = url.protocol === 'https:' ? overHttps : overHttp;
  try {
    const request = send(url, { ...options, signal, agent: false });
    // One that fails after its response began says so there, too.
    request.on('error', () => undefined);
    request.end(body);
    const [response]: IncomingMessage[] = await once(request, 'response');
    if (response === undefined) throw new Error('no response');
    const chunks: Buffer[] = [];
    let size = 0;
    for await (const chunk of response) {
      size += chunk.length;
      if (size > maxBytes) throw new Error(`the response exceeds ${maxBytes} bytes`);
      chunks.push(chunk);
    }
    const { statusCode = 0, headers } = response;
    return { status: statusCode, headers, body: Buffer.concat(chunks).toString('utf8') };
  } catch (error) {
    if (signal.aborted) throw new Error(`no response within ${timeoutMs / 1000} s`);
    throw new Error(errorCode(error) ?? errorText(error), { cause: error });
  }
}
