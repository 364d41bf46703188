import { createServer, type ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { listen } from '@skolo/base/testing';
import { expect, it } from 'vitest';
import { type ListedAlert, listAlerts, readStatus } from './alertmanager.ts';

const { signal } = new AbortController();

/** As Alertmanager 0.25 lists it. */
const alert = {
  annotations: { summary: 'a "quoted" ] and }, \\' },
  endsAt: '2026-11-26T16:10:57.928Z',
  fingerprint: 'b0cd9a5ed6ec7bf1',
  receivers: [{ name: 'skolo' }],
  startsAt: '2026-11-26T16:05:57.928Z',
  status: { inhibitedBy: [], silencedBy: ['e17001c8'], state: 'suppressed' },
  updatedAt: '2026-11-26T16:05:57.928Z',
  labels: { alertname: 'Disk', 'a.b': 'ü𝕏 [{' },
};

async function startServer(answer: (response: ServerResponse) => void): Promise<string> {
  const server = createServer((_, response) => answer(response));
  return `http://127.0.0.1:${await listen(server)}`;
}

it('reads a list, whatever the pieces in which it arrives', async () => {
  const list = [alert, alert, { ...alert, labels: { x: 'y' } }];
  const bytes = Buffer.from(` ${JSON.stringify(list, null, 1)}\n`);
  for (const size of [1, 2, 7, 1000, 100_000]) {
    const pieces = Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) =>
      bytes.subarray(i * size, (i + 1) * size),
    );
    const url = await startServer((response) => void Readable.from(pieces).pipe(response));
    const found: ListedAlert[] = [];

    await listAlerts(url, (each) => found.push(each), signal);

    expect(found.map(({ labels }) => labels)).toEqual([alert.labels, alert.labels, { x: 'y' }]);
    expect(found[0]).toMatchObject({ annotations: alert.annotations, receivers: alert.receivers });
  }
});

it.each([
  ['a text', 'x'.repeat(3_000_000)],
  ['quotes and backslashes', '\\"'.repeat(1_500_000)],
  ['escapes of six characters', '\u0001'.repeat(1_000_000)],
  ['characters of three and four bytes', '語🔥'.repeat(700_000)],
  ['a text with brackets', '}],[{'.repeat(700_000)],
  ['several texts', ''],
])('lists an alert, and those after it, that contains more than 1 MiB: %s', async (_, long) => {
  const annotations: Record<string, string> = { summary: 'short', long };
  if (long === '') for (const i of 'abcdefgh') annotations[i] = i.repeat(900_000);
  const list = [alert, { ...alert, annotations, labels: { large: 'y' } }, alert];
  const bytes = Buffer.from(JSON.stringify(list));
  for (const size of [999, 65_536, 10_000_000]) {
    const pieces = Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) =>
      bytes.subarray(i * size, (i + 1) * size),
    );
    const url = await startServer((response) => void Readable.from(pieces).pipe(response));
    const found: ListedAlert[] = [];

    await listAlerts(url, (each) => found.push(each), signal);

    expect(found.map(({ labels }) => labels)).toEqual([alert.labels, { large: 'y' }, alert.labels]);
    expect(found[1]?.annotations.summary).toBe('short');
    expect(found[1]?.annotations.long?.slice(0, 100_000)).toBe(long.slice(0, 100_000));
  }
});

function* endless(start: string, piece: string) {
  for (yield start; ; ) yield piece.repeat(10_000);
}
const stream = (start: string, piece: string) => (response: ServerResponse) =>
  void Readable.from(endless(start, piece)).pipe(response.on('error', () => undefined));
const text = (body: string) => (response: ServerResponse) => response.end(body);
const one = JSON.stringify(alert);

it.each<[string, (response: ServerResponse) => void, RegExp]>([
  ['hangs', () => undefined, /timeout/],
  ['hangs within the list', (response) => response.write('['), /timeout/],
  ['closes the connection', (response) => response.destroy(), /interrupted/],
  [
    'breaks off',
    (response) => response.writeHead(200, { 'content-length': 9 }).end('[]'),
    /interrupted/,
  ],
  ['responds with 500', (response) => response.writeHead(500).end('[]'), /status 500/],
  ['redirects', (response) => response.writeHead(302, { location: '/' }).end(), /status 302/],
  ['is a web page', text('<html></html>'), /not a complete list/],
  ['sends nothing', text(''), /not a complete list/],
  ['sends null', text('null'), /not a complete list/],
  ['sends an object', text('{"status":"success","data":[]}'), /not a complete list/],
  ['sends an empty object', text('{}'), /not a complete list/],
  ['sends numbers', text('[0,0]'), /not a complete list/],
  ['sends texts', text('["[{}]"]'), /not a complete list/],
  ['sends lists', text('[[]]'), /not a complete list/],
  ['sends two lists', text('[][]'), /not a complete list/],
  ['sends closing brackets', text(']]]'), /not a complete list/],
  ['sends other objects', text('[{"labels":{}}]'), /not a complete list/],
  ['sends half a list', text(`[${one},`), /not a complete list/],
  ['sends half an alert', text('[{"labels":{'), /not a complete list/],
  ['sends a gigantic alert', stream('[{"labels":{"x":"', 'xxxxxxxx'), /too large|timeout/],
  ['sends endless space', stream('[', '        '), /too large|timeout/],
  ['sends endless brackets', stream('[', '[[[[[[[['), /too large|timeout/],
  ['sends endless alerts', stream(`[${one}`, `,${one}`), /too large|timeout/],
])('an Alertmanager that %s has not listed its alerts', async (_, answer, why) => {
  const url = await startServer(answer);

  const limit = why.test('timeout') ? AbortSignal.timeout(500) : signal;
  await expect(listAlerts(url, () => undefined, limit)).rejects.toThrow(why);
});

it.each([
  ['{"uptime":', 200],
  ['[]', 200],
  [JSON.stringify({ uptime: '2026-11-26T16:05:56Z' }), 500],
])('%s with status %d does not show when it was started', async (body, status) => {
  const url = await startServer((response) => response.writeHead(status).end(body));

  await expect(readStatus(url, signal)).rejects.toThrow(/not Alertmanager's status/);
});
