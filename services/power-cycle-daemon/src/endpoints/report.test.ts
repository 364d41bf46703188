/** The report of the original system, sent to a running daemon. */
import { freeTcpPort } from '@skolo/simulators/free-port';
import { describe, expect, it } from 'vitest';
import { audited } from '../testing/audited.ts';
import { startDaemon } from '../testing/daemon.ts';
import { sendRequest } from '../testing/endpoint-client.ts';

const yaml = `
infrastructure:
  pdu-1: { model: apc-rpdu, address: 127.0.2.2 }
machines:
  b: { kind: host, power: pdu-1/1 }
`;
const path = '/powercycled_bots';

async function openEndpoint(allow = '127.0.0.0/8') {
  const port = await freeTcpPort();
  const settings = `    endpoints: { report: { port: ${port}, host: 127.0.0.1, allow: [${allow}] } }`;
  const daemon = await startDaemon({ yaml, settings });
  const send = (body: string | Buffer) => sendRequest(port, path, { method: 'POST', body });
  return { ...daemon, port, send };
}

describe('the report endpoint', () => {
  it('takes a report, which is in the audit log when it is answered', async () => {
    const { send, stateDir, boards } = await openEndpoint();

    const answer = await send('{"powercycled_bots": ["skia-e-linux-01", "b"]}');

    expect(answer).toMatchObject({ status: 202, text: 'Accepted\n' });
    expect(await audited(stateDir)).toMatchObject([
      {
        who: 'report endpoint, 127.0.0.1',
        what: 'power-cycled elsewhere',
        target: 'skia-e-linux-01 b',
        outcome: 'reported',
      },
    ]);
    expect(boards.get('pdu-1').told).toEqual([]);
  });

  it.each([
    ['nothing', ''],
    ['no JSON', 'powercycled_bots=b'],
    ['JSON of another form', '["b"]'],
    ['names that are no text', '{"powercycled_bots": [1]}'],
    ['an empty name', '{"powercycled_bots": [""]}'],
  ])('%s is 400', async (_what, body) => {
    const { send } = await openEndpoint();

    const answer = await send(body);

    expect(answer).toMatchObject({ status: 400, text: expect.stringMatching(/^Not a report/) });
  });

  it('more than a megabyte is 413, which the client gets to read', async () => {
    const { send } = await openEndpoint();

    const answer = await send(Buffer.alloc(8 * 1024 * 1024, ' '));

    expect(answer).toMatchObject({ status: 413, text: 'A report must not exceed 1048576 bytes\n' });
  });

  it.each([
    ['GET', path, 405],
    ['POST', '/power/control/off?alias=b', 404],
    ['POST', '/', 404],
  ])('%s %s is %i', async (method, where, status) => {
    const { port } = await openEndpoint();

    const answer = await sendRequest(port, where, { method });

    expect(answer.status).toBe(status);
  });

  it('takes no report that a page made a browser post', async () => {
    const { port, stateDir } = await openEndpoint();
    const headers = { 'content-type': 'text/plain', origin: 'http://evil.example' };
    const body = '{"powercycled_bots": ["b"]}';

    const answer = await sendRequest(port, path, { method: 'POST', body, headers });

    expect(answer.status).toBe(403);
    await expect(audited(stateDir)).rejects.toThrow(/ENOENT/);
  });

  it('does not fill the disk with reports: all anonymous callers share one limit', async () => {
    const { send, stateDir } = await openEndpoint();
    // 64 KiB a line.
    const body = JSON.stringify({ powercycled_bots: Array(300).fill('x'.repeat(300)) });

    const answers: Awaited<ReturnType<typeof send>>[] = [];
    for (let count = 0; count < 40; count += 1) answers.push(await send(body));

    const codes = answers.map(({ status }) => status);
    const taken = codes.filter((code) => code === 202).length;
    expect(codes).toEqual([...Array(taken).fill(202), ...Array(40 - taken).fill(429)]);
    expect(answers.at(-1)?.text).toMatch(/^anonymous: too many changes; try again in \d+ s/);
    expect(await audited(stateDir)).toHaveLength(taken);
  });

  it('rejects clients that rack.yaml does not name', async () => {
    const { send } = await openEndpoint('10.0.0.0/8');

    const answer = await send('{"powercycled_bots": ["b"]}');

    expect(answer.status).toBe(403);
  });
});
