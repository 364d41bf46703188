/** Messages through the endpoints of a running app: what is understood of them, and what is answered. */
import { describe, expect, it } from 'vitest';
import type { Batch } from './batch.ts';
import { full } from './rejection.ts';
import { listed, startReceivers, webhook } from './testing/receiver-lab.ts';

const lists = ['/api/v2/alerts', '/api/v1/alerts'] as const;
const all = ['/webhook', ...lists] as const;
const began = Date.parse('2026-11-20T07:30:00.123Z');

/** A message with these alerts, as the endpoint takes it. */
function message(path: string, alerts: unknown[]): object {
  return path === '/webhook' ? webhook({ alerts }) : alerts;
}

describe('a webhook of Alertmanager', () => {
  it('is understood, with its group', async () => {
    const lab = await startReceivers();

    const answer = await lab.post('/webhook', webhook());

    expect([answer.status, answer.text]).toEqual([200, '']);
    expect(lab.batches).toEqual([
      {
        endpoint: 'webhook',
        alerts: [
          {
            status: 'firing',
            labels: { alertname: 'Disk', severity: 'critical' },
            annotations: { summary: 'full' },
            startsAt: began,
            generatorURL: 'http://prometheus/graph?g0.expr=up&g0.tab=1',
          },
        ],
        bad: [],
        group: {
          key: '{}:{alertname="Disk"}',
          receiver: 'skolo',
          labels: { alertname: 'Disk' },
          commonLabels: { alertname: 'Disk', severity: 'critical' },
          commonAnnotations: { summary: 'full' },
          externalURL: 'http://alertmanager:9093',
          more: { status: 'firing' },
        },
        truncated: 0,
      },
    ]);
    expect(lab.received).toMatchObject([{ endpoint: 'webhook', firing: 1, resolved: 0, bad: [] }]);
  });

  it('may have unknown fields', async () => {
    const lab = await startReceivers();
    const [alert] = webhook().alerts;

    await lab.post(
      '/webhook',
      webhook({
        notification_reason: 'new',
        routeLabels: { team: 'lab' },
        groupLabels: { odd: 5 },
        alerts: [{ ...alert, silenceURL: 'http://x', fingerprint: 'mine', values: { A: 1 } }],
      }),
    );

    expect(lab.batches[0]?.group?.more).toEqual({
      status: 'firing',
      notification_reason: 'new',
      routeLabels: { team: 'lab' },
      groupLabels: { odd: 5 },
    });
    expect(lab.batches[0]?.group).not.toHaveProperty('labels');
    expect(lab.batches[0]?.alerts[0]?.more).toEqual({
      silenceURL: 'http://x',
      fingerprint: 'mine',
      values: { A: 1 },
    });
  });

  it('reports how many alerts it leaves out', async () => {
    const lab = await startReceivers();

    await lab.post('/webhook', webhook({ truncatedAlerts: 3 }));
    const alone = await lab.post('/webhook', { version: '4', truncatedAlerts: 7 });
    const empty = await lab.post('/webhook', webhook({ alerts: [], truncatedAlerts: 2 }));
    await lab.post('/webhook', webhook({ truncatedAlerts: -1 }));

    expect([alone.status, empty.status]).toEqual([200, 200]);
    expect(lab.batches.map(({ truncated }) => truncated)).toEqual([3, 7, 2, 0]);
    expect(lab.batches[3]?.group?.more).toMatchObject({ truncatedAlerts: -1 });
  });

  it.each([
    ['5', 200],
    [4, 200],
    [undefined, 200],
  ])('of version %j is taken as long as an alert can be read', async (version, status) => {
    const lab = await startReceivers();

    const answer = await lab.post('/webhook', webhook({ version }));

    expect(answer.status).toBe(status);
    expect(lab.batches[0]?.alerts).toHaveLength(1);
    expect(lab.batches[0]?.group?.more).toMatchObject(version === undefined ? {} : { version });
  });

  it.each([
    [{ version: '5', alerts: [] }, 'the message contains no alerts'],
    [{ alerts: [{ id: 1 }] }, 'labels: required'],
    [{ version: '4' }, 'alerts: expected a list'],
    [{ version: '4', alerts: { a: 1 } }, 'alerts: expected a list, found an object'],
    [{ text: 'hi' }, 'alerts: expected a list'],
    [[listed()], 'post a list of alerts to /api/v2/alerts'],
    ['"x"', 'found \\"x\\"'],
    ['null', 'found null'],
  ])('is not %j', async (body, why) => {
    const lab = await startReceivers();

    const answer = await lab.post('/webhook', body);

    expect([answer.status, answer.get('content-type')]).toEqual([
      400,
      'application/problem+json; charset=utf-8',
    ]);
    expect(answer.text).toContain(why);
    expect(answer.get('x-request-id')).toMatch(/\S/);
    expect(lab.batches).toEqual([]);
    expect(lab.rejections).toEqual([{ endpoint: 'webhook', reason: 'malformed' }]);
  });
});

describe.each(lists)('a list of alerts at %s', (path) => {
  const endpoint = path === '/api/v2/alerts' ? 'v2' : 'v1';

  it('is understood', async () => {
    const lab = await startReceivers();

    const answer = await lab.post(path, [listed(), listed({ endsAt: '2026-11-20T07:59:00Z' })]);

    expect([answer.status, answer.text]).toEqual([
      200,
      endpoint === 'v2' ? '' : '{"status":"success"}',
    ]);
    expect(lab.batches).toEqual([
      {
        endpoint,
        alerts: [
          {
            labels: { alertname: 'Disk', severity: 'critical' },
            annotations: { summary: 'full' },
            startsAt: began,
            endsAt: Date.parse('2026-11-20T08:04:00Z'),
            generatorURL: 'http://prometheus/graph?g0.expr=up&g0.tab=1',
          },
          expect.objectContaining({ endsAt: Date.parse('2026-11-20T07:59:00Z') }),
        ],
        bad: [],
        truncated: 0,
      },
    ]);
    expect(lab.received).toMatchObject([{ endpoint, firing: 1, resolved: 1, bad: [] }]);
  });

  it('may be empty', async () => {
    const lab = await startReceivers();

    expect((await lab.post(path, [])).status).toBe(200);
    expect(lab.batches).toMatchObject([{ alerts: [] }]);
  });

  it.each([
    [listed(), 'even a single alert must be in a list'],
    [webhook(), 'post it to /webhook'],
    ['[{]', 'syntax error at line 1, column 3'],
    ['', 'it is empty'],
  ])('is not %j', async (body, why) => {
    const lab = await startReceivers();

    const answer = await lab.post(path, body);

    expect(answer.status).toBe(400);
    const problem: unknown = JSON.parse(answer.text);
    if (endpoint === 'v2') expect(problem).toContain(why);
    else {
      expect(problem).toEqual({
        status: 'error',
        errorType: 'bad_data',
        error: expect.stringContaining(why),
      });
    }
    expect(lab.rejections).toEqual([{ endpoint, reason: 'malformed' }]);
  });
});

describe('invalid alerts', () => {
  it.each([
    [{ labels: undefined }, 'labels: required'],
    [{ labels: {} }, 'labels: at least one label must have a value'],
    [{ labels: { a: '' } }, 'labels: at least one label must have a value'],
    [{ labels: { a: 5 } }, 'labels: "a": expected a string, found 5'],
    [{ labels: { '': 'x' } }, 'labels: contains an empty name'],
    [{ labels: ['a'] }, 'labels: expected an object with string values, found a list'],
    [{ annotations: { a: null } }, 'annotations: "a": expected a string, found null'],
    [{ startsAt: 'today' }, 'startsAt: "today" is not an RFC 3339 time'],
    [{ endsAt: 5 }, 'endsAt: 5 is not a string'],
    [{ endsAt: '2026-11-20T07:00:00Z' }, 'is after endsAt, "2026-11-20T07:00:00Z"'],
    [{ generatorURL: 5 }, 'generatorURL: expected a string, found 5'],
  ])('become dead letters, and the valid ones are accepted: %j', async (change, why) => {
    const lab = await startReceivers();
    const bad = listed(change);

    const answers = [];
    for (const path of all) answers.push(await lab.post(path, message(path, [listed(), bad])));

    expect(answers.map(({ status }) => status)).toEqual([200, 400, 200]);
    expect(JSON.parse(answers[1]?.text ?? '')).toMatch(
      /^1 of 2 alerts was invalid: .*\. The other one was accepted$/,
    );
    expect(JSON.parse(answers[1]?.text ?? '')).toContain(why);
    for (const batch of lab.batches) {
      expect(batch.alerts).toHaveLength(1);
      expect(batch.bad).toEqual([
        { why: expect.stringContaining(why), found: JSON.parse(JSON.stringify(bad)) },
      ]);
    }
    expect(lab.received.map(({ firing, bad }) => [firing, bad.length])).toEqual([
      [1, 1],
      [1, 1],
      [1, 1],
    ]);
  });

  it('have a status that is none, in a webhook; in a list it is something else', async () => {
    const lab = await startReceivers();

    for (const path of all) await lab.post(path, message(path, [listed({ status: 'burning' })]));

    expect(lab.batches[0]?.bad).toMatchObject([
      { why: 'status: expected firing or resolved, found "burning"' },
    ]);
    expect(lab.batches[1]?.alerts).toMatchObject([{ more: { status: 'burning' } }]);
  });

  it('do not make the answer long', async () => {
    const lab = await startReceivers();
    const bad = Array.from({ length: 1000 }, () => ({ labels: { ['x'.repeat(10_000)]: 5 } }));

    const answer = await lab.post('/api/v2/alerts', bad);

    expect(answer.text.length).toBeLessThan(1000);
    expect(JSON.parse(answer.text)).toMatch(/^1000 of 1000 alerts were invalid: /);
    expect(answer.text).toContain('and 995 more');
  });

  it('are all counted, even those that are not stored', async () => {
    const lab = await startReceivers();
    const list = `[${'1,'.repeat(10_002)}${JSON.stringify([listed(), listed()]).slice(1)}`;

    const answer = await lab.post('/api/v2/alerts', list);

    expect(lab.batches[0]?.bad).toHaveLength(10_001);
    const text = JSON.parse(answer.text);
    expect(text).toMatch(/^10002 of 10004 alerts were invalid: /);
    expect(text).toMatch(/; and 9997 more\. The others were accepted$/);
  });
});

describe('labels', () => {
  it.each(all)('may have any name, at %s', async (path) => {
    const lab = await startReceivers();
    const labels =
      '{"__proto__":"p","constructor":"c","toString":"t","ünï.cödé 🔥":"x","\\"":"q","nul\\u0000":"\\u0000","e":""}';

    await lab.post(path, JSON.stringify(message(path, [{ labels: 'L' }])).replace('"L"', labels));

    const found = lab.batches[0]?.alerts[0]?.labels ?? {};
    expect(Object.entries(found)).toEqual([
      ['__proto__', 'p'],
      ['constructor', 'c'],
      ['toString', 't'],
      ['ünï.cödé 🔥', 'x'],
      ['"', 'q'],
      ['nul\0', '\0'],
    ]);
    expect(Object.getPrototypeOf(found)).toBe(Object.prototype);
    expect({}).not.toHaveProperty('p');
  });

  it('are there whatever the fingerprint is', async () => {
    const lab = await startReceivers();
    const fingerprint = { toString: 0 };

    const { status } = await lab.post(
      '/webhook',
      message('/webhook', [{ ...listed(), fingerprint }]),
    );

    expect(status).toBe(200);
    expect(lab.batches[0]?.alerts[0]?.more).toEqual({ fingerprint });
  });

  it('of fields named __proto__ change nothing', async () => {
    const lab = await startReceivers();

    await lab.post(
      '/webhook',
      '{"version":"4","__proto__":{"truncatedAlerts":5},"alerts":[{"labels":{"a":"b"},"__proto__":{"status":"resolved"}}]}',
    );

    const [batch] = lab.batches;
    expect(batch?.truncated).toBe(0);
    expect(batch?.alerts[0]?.status).toBeUndefined();
    expect(Object.keys(batch?.alerts[0]?.more ?? {})).toEqual(['__proto__']);
  });

  it('with half a character become what Go makes of them', async () => {
    const lab = await startReceivers();

    await lab.post(
      '/api/v2/alerts',
      String.raw`[{"labels":{"a\ud800":"\uDC00\ud83d\udd25\\ud800","b":"\\\ud800"}}]`,
    );

    expect(lab.batches[0]?.alerts[0]?.labels).toEqual({
      'a\ufffd': '\ufffd🔥\\ud800',
      b: '\\\ufffd',
    });
  });
});

describe('a request that cannot be accepted now', () => {
  async function accept(_batch: Batch): Promise<void> {
    throw full('the spool is full: let the internet connection come back');
  }

  it.each(all)('is 503 at %s, and counted', async (path) => {
    const lab = await startReceivers({ accept });

    const answer = await lab.post(path, message(path, [listed()]));

    expect([answer.status, answer.get('retry-after')]).toEqual([503, '15']);
    expect(answer.text).toContain('the spool is full');
    expect(lab.rejections).toMatchObject([{ reason: 'full' }]);
    expect(lab.received).toEqual([]);
  });

  it.each(all)('because of a bug is 500 at %s', async (path) => {
    const lab = await startReceivers({ accept: () => Promise.reject(new Error('hunter2')) });

    const answer = await lab.post(path, message(path, [listed()]));

    expect(answer.status).toBe(500);
    expect(answer.text).not.toContain('hunter2');
    expect(lab.rejections).toMatchObject([{ reason: 'failed' }]);
  });

  it('is logged once a minute', async () => {
    const lab = await startReceivers({ accept });

    for (let count = 0; count < 5; count += 1) await lab.post('/webhook', webhook());
    lab.clock.pass(61_000);
    await lab.post('/webhook', webhook());

    const lines = lab.logged().match(/.*alerts rejected.*/g) ?? [];
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([
      { reason: 'full', endpoint: 'webhook', unlogged: 0 },
      { unlogged: 4 },
    ]);
  });
});

it('a path is a label of the metrics', async () => {
  const lab = await startReceivers();

  await lab.post('/webhook', webhook());

  expect(await lab.metrics()).toContain(
    'http_request_duration_seconds_count{method="POST",route="/webhook",code="200"} 1',
  );
});
