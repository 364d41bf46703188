/** The HTTP API: what is answered to whom, in statuses, headers and bytes. */
import request from 'supertest';
import { describe, expect, it } from 'vitest';
import { startFakeAgent } from '../testing/fake-agent.ts';
import { startLab } from '../testing/lab.ts';

const reason = 'the fan is broken';
const ofAgents = [
  ['post', 'reboot', { reason }],
  ['post', 'repair', { step: 'usb-cycle', reason }],
  ['post', 'clear', { reason }],
  ['post', 'screen', {}],
  ['get', 'log', undefined],
] as const;
const reads = ['', '/history', '/curves'].map((path) => ['get', path.slice(1), undefined] as const);

/** With the machine `rpi-1`, which has answered if it may act; nothing answers as `rpi-2`. */
async function start(options: Parameters<typeof startLab>[0] = {}) {
  const agent = await startFakeAgent('rpi-1', { status: { bootId: 'before' } });
  const lab = await startLab({ ...options, agents: { 'rpi-1': agent, 'rpi-2': undefined } });
  await expect.poll(() => lab.machine('rpi-1')).toMatchObject({ bootId: 'before' });
  const api = request.agent(lab.url).auth(lab.token, { type: 'bearer' });
  async function ask(method: 'get' | 'post', name: string, path: string, body?: object) {
    const asked = api[method](`/v1/machines/${name}/${path}`.replace(/\/$/, ''));
    return await (body ? asked.send(body) : asked);
  }
  return { agent, lab, api, ask };
}

describe('a machine', () => {
  it('that rack.yaml does not have is 404 on every route, with a name like it', async () => {
    const { ask } = await start();

    for (const [method, path, body] of [...reads, ...ofAgents]) {
      const { status, body: problem } = await ask(method, 'rpi1', path, body);
      expect([path, status, problem.detail]).toEqual([
        path,
        404,
        'rack.yaml has no machine rpi1; did you mean "rpi-1"?',
      ]);
    }
  });

  it('that is only observed gets no orders, and its agent hears nothing', async () => {
    const { agent, ask } = await start({ more: () => ', acts: false' });

    for (const [method, path, body] of ofAgents.slice(0, 2)) {
      const answer = await ask(method, 'rpi-1', path, body);
      expect(answer.status).toBe(409);
      expect(answer.body.detail).toContain('rpi-1: `acts: false` in rack.yaml');
    }
    expect(agent.calls.filter(({ name }) => name !== 'status')).toEqual([]);
  });

  it('is found by any text, and the list is compressed only for who accepts it', async () => {
    const { api } = await start();

    const one = await api.get('/v1/machines?text=RPI-2');
    const wrong = await api.get('/v1/machines?shelfs=1');
    const plain = await api.get('/openapi.json').set('accept-encoding', 'identity');
    const packed = await api.get('/openapi.json');

    expect(one.body.machines).toMatchObject([{ name: 'rpi-2' }]);
    expect([wrong.status, wrong.body.errors]).toEqual([
      400,
      [expect.objectContaining({ path: 'query' })],
    ]);
    expect([plain.get('content-encoding'), packed.get('content-encoding')]).toEqual([
      undefined,
      'gzip',
    ]);
    expect(packed.body).toEqual(plain.body);
  });
});

describe('what the agent does for people', () => {
  it('is a reboot, a repair, an end of quarantine, a screen and a log', async () => {
    const { agent, ask } = await start();

    const answers = [];
    for (const [method, path, body] of ofAgents)
      answers.push(await ask(method, 'rpi-1', path, body));

    expect(answers.map(({ status }) => status)).toEqual([202, 202, 200, 200, 200]);
    const [, , health, screen, log] = answers;
    const body = { step: 'usb-cycle', why: `${reason} (ann)` };
    expect(agent.calls).toContainEqual({ name: 'repair', body });
    expect(health?.body).toMatchObject({ verdict: 'ok' });
    // Screens may show unreleased software.
    expect([screen?.type, screen?.get('cache-control'), `${screen?.body}`]).toEqual([
      'image/png',
      'no-store',
      'PNG',
    ]);
    expect(log?.body).toEqual({ lines: [] });
  });

  it('is rejected while it runs a task, and 503 where it does not answer', async () => {
    const { agent, ask } = await start();
    agent.set({ task: { running: true } });

    const [busy, repair] = [
      await ask('post', 'rpi-1', 'reboot', { reason }),
      await ask('post', 'rpi-1', 'repair', { step: 'usb-cycle', reason }),
    ];
    const silent = await ask('post', 'rpi-2', 'reboot', { reason });

    expect([busy.status, repair.status, silent.status]).toEqual([409, 409, 503]);
    expect(busy.body.detail).toContain('the agent on rpi-1: a task is running');
  });

  it('and an older agent does not know is 501, with what to do', async () => {
    const { agent, ask } = await start();
    agent.answerAs(({ url }, response) => {
      const detail = `no such path: ${url}; check the path; /openapi.json lists all paths`;
      response.writeHead(404, { 'content-type': 'application/problem+json' });
      response.end(JSON.stringify({ title: 'Not Found', status: 404, detail }));
    });
    const calls = [
      'POST /v1/repair',
      'POST /v1/quarantine/clear',
      'POST /v1/screen',
      'GET /v1/log',
    ];

    for (const [at, [method, path, body]] of ofAgents.slice(1).entries()) {
      const answer = await ask(method, 'rpi-1', path, body);
      expect([answer.status, answer.body.detail]).toEqual([
        501,
        expect.stringContaining(
          `the agent on rpi-1: the agent at ${agent.url} is older than this skolo, and does not have ${calls[at]}; upgrade it`,
        ),
      ]);
    }
  });
});
