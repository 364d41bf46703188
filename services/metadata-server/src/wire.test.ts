/** Responses byte for byte: order and case of headers, unusual targets and methods, and what a framework would add or answer by itself. */
import { sendText } from '@skolo/base/testing';
import { fakeClock } from '@skolo/common/testing';
import { afterAll, expect, it } from 'vitest';
import { bot1, rackYaml, startRack } from './testing/rack.ts';

const v1 = '/computeMetadata/v1';
const token = `${v1}/instance/service-accounts/default/token`;
const identity = `${v1}/instance/service-accounts/default/identity`;
const project = `${v1}/project/project-id`;
const withMac = '127.0.2.1';
const nobody = '127.0.7.7';
const busy = '127.0.1.3';
const burst = 100;

const rack = await startRack({
  atEnd: afterAll,
  // The limit does not recover during the test.
  clock: fakeClock(Date.now()),
  yaml: rackYaml
    .replace(
      'machines:',
      `machines:\n  pi: { kind: rpi, address: ${withMac}, mac: 02:00:00:00:00:01, identity: bots }`,
    )
    .replace(
      'trustedProxies:',
      `rateLimit: { perSecond: 1, burst: ${burst} }\n    trustedProxies:`,
    ),
  findMac: async () => '02:00:00:00:00:66',
});

const google = { Host: 'metadata', 'Metadata-Flavor': 'Google' };

interface Asked {
  headers?: Record<string, string>;
  version?: string;
  from?: string;
  body?: string;
}

/** A request on a connection of its own. The time of day is left out of the response. */
async function answerTo(
  line: string,
  { headers = google, from, version = '1.1', body = '' }: Asked = {},
) {
  const all = Object.entries({ ...headers, Connection: 'close' });
  const lines = [`${line} HTTP/${version}`, ...all.map(([name, value]) => `${name}: ${value}`)];
  const answer = await sendText(rack.port, `${lines.join('\r\n')}\r\n\r\n${body}`, from ?? bot1);
  return answer.replace(/^Date: .*$/m, 'Date');
}

const date = ['Date', 'Connection: close'];
const closing = ['Connection: close', 'Date'];

function response(status: string, type: string, body: string, headers: readonly string[] = date) {
  const lines = [
    `HTTP/1.1 ${status}`,
    'Metadata-Flavor: Google',
    'Server: Metadata Server for VM',
    'X-XSS-Protection: 0',
    'X-Frame-Options: SAMEORIGIN',
    `Content-Type: ${type}`,
    `Content-Length: ${body.length}`,
    ...headers,
  ];
  return `${lines.join('\r\n')}\r\n\r\n${body}`;
}

const text = (body: string, ...headers: string[]) =>
  response('200 OK', 'application/text', body, [...headers, ...date]);
const json = (body: string, ...headers: string[]) =>
  response('200 OK', 'application/json', body, [...headers, ...date]);
const html = 'text/html; charset=UTF-8';
const bare = (status: string, body: string) => response(status, html, body);
const redirect = (to: string) =>
  response('301 Moved Permanently', html, `${v1}/instance/\n`, [`Location: ${to}`, ...date]);

function page(status: string, why: string, headers: readonly string[] = date) {
  const [code, phrase] = status.split(/ (.*)/);
  const body = `<!DOCTYPE html>
<html lang=en>
  <meta charset=utf-8>
  <title>Error ${code} (${phrase})!!1</title>
  <p><b>${code}.</b> ${why}
`;
  return response(status, html, body, headers);
}

const notFound = (path: string) => page('404 Not Found', `${path} was not found.`);
const wrongMethod = page('405 Method Not Allowed', 'Only GET and HEAD are supported.', [
  'Allow: GET, HEAD',
  ...date,
]);
const wrongMac = page(
  '403 Forbidden',
  'The MAC address of this machine could not be confirmed.',
  closing,
);
const stranger = page(
  '403 Forbidden',
  `${nobody} has no identity in this rack's rack.yaml.`,
  closing,
);
const foreign = (host: string) =>
  page(
    '403 Forbidden',
    `host &quot;${host}&quot; is not a name or address of this server; use a valid one, or add it to jumphost.hosts in rack.yaml.`,
    closing,
  );
const proxied = page(
  '403 Forbidden',
  'Requests with X-Forwarded-For, Forwarded or Via are accepted only from trusted proxies.',
  closing,
);
const projectId = text('my-project', 'ETag: 464098220d5c1958');
const tooMany = page('429 Too Many Requests', 'This address is sending too many requests.', [
  'Retry-After: 1',
  ...date,
]);
/** Of the server, before it has a request. */
const notPath = page(
  '400 Bad Request',
  'the request target is not a path; start it with /',
  closing,
)
  .replace('Content-Length', 'content-length')
  .replace('Connection', 'connection');

const rows: [string, Asked, string][] = [
  ['GET /', {}, text('computeMetadata/\n')],
  [`GET ${project}`, {}, projectId],
  [`HEAD ${project}`, {}, projectId.replace(/my-project$/, '')],
  [`GET ${project}`, { version: '1.0', headers: { 'Metadata-Flavor': 'Google' } }, projectId],
  [`GET ${v1}/instance/tags`, {}, json('["bot","rack1"]', 'ETag: ffdf0bb0d558ce0e')],
  [`GET ${v1}/instance/attributes/Empty`, {}, text('', 'ETag: 12ae32cb1ec02d01')],
  [`GET ${identity}`, {}, bare('400 Bad Request', 'non-empty audience parameter required')],
  [
    `GET ${v1}/instance/?alt=json`,
    {},
    page('400 Bad Request', 'alt requires recursive=true on a directory.'),
  ],
  [`GET ${v1}/nope?a=<b>`, {}, notFound(`${v1}/nope`)],
  // What a framework might answer by itself.
  [`GET ${project}`, { headers: { ...google, 'If-None-Match': '*' } }, projectId],
  [`GET ${project}`, { headers: { ...google, 'If-None-Match': '464098220d5c1958' } }, projectId],
  [
    `GET ${project}`,
    { headers: { ...google, 'If-Modified-Since': 'Fri, 01 Jan 2100 00:00:00 GMT' } },
    projectId,
  ],
  [
    `GET ${project}`,
    { headers: { ...google, Range: 'bytes=0-1', 'Accept-Encoding': 'gzip' } },
    projectId,
  ],
  [`GET ${project}`, { headers: { ...google, Accept: 'application/json' } }, projectId],
  [`GET ${project}`, { headers: { ...google, 'X-HTTP-Method-Override': 'DELETE' } }, projectId],
  [`GET ${project}?recursive[]=true&__proto__[x]=y`, {}, projectId],
  // Methods.
  [`OPTIONS ${token}`, {}, wrongMethod],
  ['OPTIONS /', {}, wrongMethod],
  [`OPTIONS ${v1}/nope`, {}, notFound(`${v1}/nope`)],
  [`TRACE ${token}`, {}, wrongMethod],
  [`PROPFIND ${token}`, {}, wrongMethod],
  [`POST ${token}`, { headers: { ...google, 'Content-Length': '3' }, body: 'abc' }, wrongMethod],
  [
    `PUT ${v1}/instance/guest-attributes/a/b`,
    { headers: { ...google, 'Content-Length': '3' }, body: 'abc' },
    bare('403 Forbidden', 'Guest attributes endpoint access is disabled.'),
  ],
  // Targets: absolute ones, and some that have no path or are none.
  [`GET http://metadata${project}`, {}, projectId],
  ['GET http://metadata', {}, text('computeMetadata/\n')],
  ['GET http://metadata?x', {}, text('computeMetadata/\n')],
  [`GET https://elsewhere${v1}/`, {}, foreign('elsewhere')],
  ['GET foo://h', {}, notFound('foo:/h')],
  ['GET foo://h/a?b', {}, notFound('foo:/h/a')],
  ['GET foo://', {}, notFound('foo:/')],
  ['GET foo://h', { from: nobody }, stranger],
  ['GET foo://h', { headers: { ...google, Host: 'evil' } }, foreign('evil')],
  ['OPTIONS foo://h', {}, notFound('foo:/h')],
  ['GET http://[::1/x', {}, notPath],
  ['OPTIONS *', {}, notPath],
  ['GET //computeMetadata//v1//project/project-id', {}, projectId],
  [`GET ${v1}/project/project%2Did`, {}, projectId],
  [`GET ${v1}/%E0%A4%A`, {}, notFound(`${v1}/%E0%A4%A`)],
  [`GET ${v1}/project#x`, {}, notFound(`${v1}/project#x`)],
  [`GET ${v1}/instance`, {}, redirect(`http://metadata${v1}/instance/`)],
  [
    `GET ${v1}/instance?a=b`,
    { headers: { ...google, Host: 'METADATA.goog.:80' } },
    redirect(`http://METADATA.goog.:80${v1}/instance/?a=b`),
  ],
  // Rejections, also of requests that would wait.
  [
    `GET ${token}`,
    { headers: { Host: 'metadata' } },
    page('403 Forbidden', 'Missing Metadata-Flavor:Google header.'),
  ],
  [`GET ${token}`, { headers: { ...google, Host: 'evil' } }, foreign('evil')],
  [
    `GET ${token}`,
    { headers: { ...google, Host: 'evil', 'X-Forwarded-Host': 'metadata' } },
    foreign('evil'),
  ],
  [`GET ${token}`, { headers: { ...google, 'X-Forwarded-For': bot1 } }, proxied],
  [`GET ${token}`, { headers: { ...google, Via: '' } }, proxied],
  [`GET ${token}`, { from: nobody }, stranger],
  [`GET ${token}?wait_for_change=true`, { from: nobody }, stranger],
  [`GET ${token}`, { from: withMac }, wrongMac],
  [`GET ${token}?wait_for_change=true`, { from: withMac }, wrongMac],
  [`GET ${v1}/nope?wait_for_change=true`, {}, notFound(`${v1}/nope`)],
];

it.each(rows)('the bytes of the response to %s %o', async (line, asked, expected) => {
  expect(await answerTo(line, asked)).toBe(expected);
});

it('the rate limit comes before all that is wrong with a request', async () => {
  for (let sent = 0; sent <= burst; sent++) await rack.get('', { from: busy });

  const asked: [string, Asked?][] = [
    [`GET ${token}`],
    [`POST ${v1}/nope`],
    [`GET ${token}`, { headers: { Host: 'evil', Via: '1.1 proxy' } }],
    ['GET foo://h'],
  ];
  for (const [line, more] of asked) {
    expect(await answerTo(line, { ...more, from: busy })).toBe(tooMany);
  }
});

it('requests of one connection are answered in turn, and it stays open', async () => {
  const request = `GET ${project} HTTP/1.1\r\nHost: metadata\r\nMetadata-Flavor: Google\r\n`;
  const answers = await sendText(
    rack.port,
    `${request}\r\n${request}Connection: close\r\n\r\n`,
    bot1,
  );

  const kept = projectId.replace(
    'Connection: close',
    'Connection: keep-alive\r\nKeep-Alive: timeout=80',
  );
  expect(answers.replace(/^Date: .*$/gm, 'Date')).toBe(kept + projectId);
});

it('a token has the headers of other responses, and no ETag', async () => {
  await rack.token();

  const [head, body = ''] = (await answerTo(`GET ${token}`)).split('\r\n\r\n');

  expect(`${head}\r\n\r\n${body}`).toBe(json(body));
});
