/** Responses byte for byte: order and case of headers, which targets are endpoints, methods, and what a framework would add. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sendText } from '@skolo/base/testing';
import { expect, it } from 'vitest';
import { startReceivers } from './testing/receiver-lab.ts';

const auth = '{ auth: { bearer: { file: ./token } } }';
const signedIn = { Authorization: 'Bearer hunter2' };

interface Asked {
  headers?: Record<string, string>;
  body?: string;
}

/** A request on a connection of its own. The time of day is left out of the response. */
async function answerTo(line: string, { headers = signedIn, body = '[]' }: Asked = {}) {
  const { port, dir } = await startReceivers({ settings: auth });
  await writeFile(join(dir, 'token'), 'hunter2', { mode: 0o600 });
  const all = {
    Host: 'jumphost',
    'X-Request-Id': 'abc',
    ...headers,
    'Content-Length': String(body.length),
    Connection: 'close',
  };
  const lines = [`${line} HTTP/1.1`, ...Object.entries(all).map((each) => each.join(': '))];
  const answer = await sendText(port, `${lines.join('\r\n')}\r\n\r\n${body}`);
  return answer.replace(/^Date: .*$/m, 'Date');
}

function response(status: string, headers: readonly string[], body = '') {
  const lines = [
    `HTTP/1.1 ${status}`,
    'cache-control: no-store',
    'x-content-type-options: nosniff',
    ...headers,
    'Date',
    'Connection: close',
  ];
  return `${lines.join('\r\n')}\r\n\r\n${body}`;
}

function json(
  status: string,
  body: string,
  { type = 'application/json', more = [] as string[] } = {},
) {
  const length = `content-length: ${Buffer.byteLength(body)}`;
  const headers = ['x-request-id: abc', ...more, `content-type: ${type}; charset=utf-8`, length];
  return response(status, headers, body);
}

const empty = response('200 OK', ['x-request-id: abc', 'content-length: 0']);
const v1 = json('200 OK', '{"status":"success"}');
const wrongMethod = response('405 Method Not Allowed', ['allow: POST', 'content-length: 0']);
/** Of what follows the endpoints. */
const elsewhere = [
  'HTTP/1.1 404 Not Found',
  'Date',
  'Connection: close',
  'Transfer-Encoding: chunked',
  '',
  '0\r\n\r\n',
].join('\r\n');
const mistyped = 'expected a list of alerts, found 5; even a single alert must be in a list';
const unsigned =
  'no credentials were sent; in Alertmanager (http_config) or Prometheus (alertmanagers), set those from `services.alert-to-pubsub.auth` in rack.yaml';
const bearer = ['www-authenticate: Bearer realm="alert-to-pubsub"'];
const problemOf = (title: string, status: number, detail: string) =>
  JSON.stringify({ type: 'about:blank', title, status, detail });

const rows: [string, Asked, string][] = [
  ['POST /api/v2/alerts', {}, empty],
  ['POST /api/v1/alerts', {}, v1],
  ['POST /webhook', { body: '{"version":"4","alerts":[]}' }, empty],
  ['POST /api/v1/alerts', { headers: { ...signedIn, 'If-None-Match': '*' } }, v1],
  ['POST /api/v1/alerts', { headers: { ...signedIn, Accept: 'text/html' } }, v1],
  // Which targets are endpoints.
  ['POST /api/v1/alerts/', {}, v1],
  ['POST /api/v1/alerts?timeout=5', {}, v1],
  ['POST /api/v1/alerts/?a[b]=c', {}, v1],
  ['POST /api/v1/alerts//', {}, elsewhere],
  ['POST //api/v1/alerts', {}, elsewhere],
  ['POST /API/v1/alerts', {}, elsewhere],
  ['POST /api/v1/alert%73', {}, elsewhere],
  ['POST /api/v1/alerts/x', {}, elsewhere],
  ['POST /api/v1/alerts#x', {}, elsewhere],
  ['POST http://jumphost/api/v1/alerts', {}, elsewhere],
  ['POST foo://h', {}, elsewhere],
  ['POST /%E0%A4%A', {}, elsewhere],
  ['GET /', {}, elsewhere],
  // Methods, whoever asks.
  ['GET /webhook', { headers: {} }, wrongMethod],
  ['HEAD /webhook', { headers: {} }, wrongMethod],
  ['OPTIONS /api/v2/alerts', {}, wrongMethod],
  ['PUT /api/v2/alerts/?x', {}, wrongMethod],
  ['PROPFIND /api/v1/alerts', {}, wrongMethod],
  // Rejections, in the form of each endpoint; sign-in comes before the body.
  [
    'POST /webhook',
    { headers: {}, body: '5' },
    json('401 Unauthorized', problemOf('Unauthorized', 401, unsigned), {
      type: 'application/problem+json',
      more: bearer,
    }),
  ],
  [
    'POST /api/v2/alerts',
    { headers: {}, body: '5' },
    json('401 Unauthorized', JSON.stringify(unsigned), { more: bearer }),
  ],
  ['POST /api/v2/alerts', { body: '5' }, json('400 Bad Request', JSON.stringify(mistyped))],
  [
    'POST /api/v1/alerts',
    { body: '5' },
    json(
      '400 Bad Request',
      JSON.stringify({ status: 'error', errorType: 'bad_data', error: mistyped }),
    ),
  ],
];

it.each(rows)('the bytes of the response to %s %o', async (line, asked, expected) => {
  expect(await answerTo(line, asked)).toBe(expected);
});
