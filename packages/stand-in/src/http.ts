/** One request with an end to it, whatever the other side does. */
import { request as overHttp } from 'node:http';
import { request as overHttps } from 'node:https';
import { errorCode } from '@skolo/errors';

export interface HttpOptions {
  method?: 'GET' | 'PATCH' | 'DELETE';
  headers?: Record<string, string>;
  body?: string;
  timeoutMs: number;
  /** Of the client, and of the authority that has signed the server. */
  tls?: { ca?: string; cert?: string; key?: string; rejectUnauthorized?: boolean };
}

export interface HttpAnswer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  body: string;
}

/** The largest answer that is read: ConfigMaps and Secrets end at 1 MiB, before base64. */
const maxBytes = 8 * 1024 * 1024;

/** Fails with a text for people: nothing listens, no answer in time, another certificate. */
export function ask(url: URL, options: HttpOptions): Promise<HttpAnswer> {
  const { method = 'GET', headers = {}, body, timeoutMs, tls = {} } = options;
  const signal = AbortSignal.timeout(timeoutMs);
  return new Promise<HttpAnswer>((resolve, reject) => {
    const isTls = url.protocol === 'https:';
    const fail = (error: Error) => reject(new Error(reason(error, signal, timeoutMs)));
    // No agent: what is asked every half minute needs no connection in between.
    const common = { method, headers, signal, agent: false } as const;
    const request = isTls ? overHttps(url, { ...common, ...tls }) : overHttp(url, common);
    request.on('error', fail);
    request.on('response', (response) => {
      const chunks: Buffer[] = [];
      let size = 0;
      response.on('error', fail);
      response.on('data', (chunk: Buffer) => {
        size += chunk.length;
        if (size > maxBytes) request.destroy(new Error('its answer is too long'));
        else chunks.push(chunk);
      });
      response.on('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          body: Buffer.concat(chunks).toString('utf8'),
        }),
      );
    });
    request.end(body);
  });
}

function reason(error: Error, signal: AbortSignal, timeoutMs: number): string {
  if (signal.aborted) return `no answer within ${timeoutMs / 1000} s`;
  return errorCode(error) ?? error.message;
}
