/** The requests that an Alertmanager answers, sent to the receivers. */
import type { KnownAlert } from '@skolo/api';
import { describe, expect, it } from 'vitest';
import { startReceivers } from './testing/receiver-lab.ts';

function known(labels: Record<string, string>, more: Partial<KnownAlert> = {}): KnownAlert {
  return {
    fingerprint: 'ffffffffffffffff',
    status: 'firing',
    labels,
    annotations: { summary: 'full' },
    startsAt: '2026-11-20T07:00:00.000Z',
    endpoint: 'webhook',
    first: '2026-11-20T07:00:01.000Z',
    last: '2026-11-20T07:30:00.000Z',
    count: 3,
    ...more,
  };
}

const alerts = [
  known({ alertname: 'Disk', severity: 'critical', 'ünï.cödé': 'a "b"' }),
  known({ alertname: 'Heat', severity: 'warning' }, { fingerprint: '0000000000000000' }),
  known({ alertname: 'Over' }, { status: 'resolved' }),
  known({ alertname: 'Late' }, { endsAt: '2026-11-20T07:59:59.000Z' }),
];

async function namesFor(query: string): Promise<string[] | number> {
  const lab = await startReceivers({ known: alerts });
  const answer = await lab.get(`/api/v2/alerts${query}`);
  if (answer.status !== 200) return answer.status;
  const found: { labels: { alertname: string } }[] = JSON.parse(answer.text);
  return found.map(({ labels }) => labels.alertname);
}

const query = (...filters: string[]) =>
  `?${filters.map((filter) => `filter=${encodeURIComponent(filter)}`).join('&')}`;

describe('GET /api/v2/alerts', () => {
  it('lists firing alerts', async () => {
    const lab = await startReceivers({ known: alerts, settings: '{ repeatHours: 1 }' });

    const answer = await lab.get('/api/v2/alerts?active=true&silenced=false');

    expect(JSON.parse(answer.text)[1]).toEqual({
      annotations: { summary: 'full' },
      endsAt: '2026-11-20T08:30:00.000Z',
      fingerprint: 'ffffffffffffffff',
      receivers: [{ name: 'pubsub' }],
      startsAt: '2026-11-20T07:00:00.000Z',
      status: { inhibitedBy: [], mutedBy: [], silencedBy: [], state: 'active' },
      updatedAt: '2026-11-20T07:30:00.000Z',
      generatorURL: '',
      labels: { alertname: 'Disk', severity: 'critical', 'ünï.cödé': 'a "b"' },
    });
  });

  it.each([
    ['', ['Heat', 'Disk']],
    ['?active=true&inhibited=false&silenced=false&unprocessed=false', ['Heat', 'Disk']],
    ['?active=false', []],
    ['?receiver=pub.*', ['Heat', 'Disk']],
    ['?receiver=pub', []],
    [query('alertname=Disk'), ['Disk']],
    [query('alertname="Disk"'), ['Disk']],
    [query(' alertname = "Disk" '), ['Disk']],
    [query('alertname!="Disk"'), ['Heat']],
    [query('alertname=~"D.*|X"'), ['Disk']],
    [query('alertname=~"D"'), []],
    [query('alertname!~"D.*"'), ['Heat']],
    [query('alertname=~(?i)disk'), ['Disk']],
    [query('alertname=~"(?P<x>D)isk"'), ['Disk']],
    [query('alertname=~"D\\\\-?isk\\\\_?"'), ['Disk']],
    [query('severity=~"critical|warning"', 'alertname="Heat"'), ['Heat']],
    [query('"ünï.cödé"="a \\"b\\""'), ['Disk']],
    [query('ünï.cödé=~".+"'), ['Disk']],
    [query('toString=""'), ['Heat', 'Disk']],
    [query('__proto__=""'), ['Heat', 'Disk']],
    [query('nothing!=""'), []],
    [query('nothing='), ['Heat', 'Disk']],
  ])('%s: %j', async (text, names) => {
    expect(await namesFor(text)).toEqual(names);
  });

  it.each(['alertname', '=x', 'a=="x"', 'a="x', 'a=x"', 'a=~"("', '{a="b"}', ''])(
    'reports what is wrong with the filter %s',
    async (filter) => {
      const lab = await startReceivers({ known: alerts });

      const answer = await lab.get(`/api/v2/alerts${query(filter)}`);

      expect(answer.status).toBe(400);
      expect(JSON.parse(answer.text)).toMatch(/^filter: /);
    },
  );

  it('is not held up by an expression that takes for ever', async () => {
    const lab = await startReceivers({ known: [known({ a: 'a'.repeat(50) })] });

    const answer = await lab.get(`/api/v2/alerts${query('a=~"(a+)+b"')}`);

    expect([answer.status, JSON.parse(answer.text)]).toEqual([
      400,
      expect.stringContaining('takes too long'),
    ]);
  });
});

describe('regular expressions that take for ever', () => {
  const forEver = `/api/v2/alerts${query('a=~"(a+)+b"')}`;

  /** A lab whose anonymous callers have used up their time. */
  async function exhausted() {
    const lab = await startReceivers({ known: [known({ alertname: 'Disk', a: 'a'.repeat(50) })] });
    const answers = await Promise.all(Array.from({ length: 40 }, () => lab.get(forEver)));
    return { lab, statuses: answers.map(({ status }) => status), answers };
  }

  it('get a 429 when their caller has used up a second, and the rest of the API continues', async () => {
    const { lab, statuses, answers } = await exhausted();

    expect(new Set(statuses)).toEqual(new Set([400, 429]));
    const rejected = answers.find(({ status }) => status === 429);
    expect(JSON.parse(rejected?.text ?? '')).toMatchObject({
      detail: expect.stringMatching(
        /^anonymous: regular expressions took too long; try again in \d+ s$/,
      ),
    });
    expect(Number(rejected?.headers.get('retry-after'))).toBeGreaterThan(0);
    expect((await lab.get(`/api/v2/alerts${query('alertname="Disk"')}`)).status).toBe(200);
    expect((await lab.get('/api/v2/alerts')).status).toBe(200);
    expect(await lab.metrics()).toContain('skolo_access_limited_total{limit="expressions"} ');
  });

  it('are possible again after a while', async () => {
    const { lab } = await exhausted();

    lab.clock.pass(60_000);

    expect((await lab.get(`/api/v2/alerts${query('alertname=~"D.*"')}`)).status).toBe(200);
  });

  it('are not needed to hold it up: a filter of spaces is read in linear time', async () => {
    const lab = await startReceivers({ known: alerts });

    const answer = await lab.get(`/api/v2/alerts?filter=a=${'+'.repeat(7000)}"`);

    expect(answer.status).toBe(400);
  });

  it('have at most 4000 characters, because nothing interrupts their compilation', async () => {
    const lab = await startReceivers({ known: alerts });

    const answer = await lab.get(`/api/v2/alerts?receiver=${'a|'.repeat(2500)}`);

    expect([answer.status, JSON.parse(answer.text)]).toEqual([
      400,
      'filter: a regular expression must not exceed 4000 characters; shorten it, or send several requests',
    ]);
  });

  it('do not stop a dashboard that asks for 300 machines each second', async () => {
    const machines = Array.from({ length: 300 }, (_, at) => `rpi-${at}`);
    const lab = await startReceivers({
      known: machines.map((machine) => known({ alertname: 'Hot', machine })),
    });
    const names = query(`machine=~"${machines.join('|')}"`);

    const statuses: number[] = [];
    for (let second = 0; second < 30; second += 1) {
      statuses.push((await lab.get(`/api/v2/alerts${names}`)).status);
      lab.clock.pass(1000);
    }

    expect(new Set(statuses)).toEqual(new Set([200]));
  });
});

describe('the rest of an Alertmanager', () => {
  it('lists groups, by name, for each receiver', async () => {
    const settings = '{ pubsub: true, sinks: [{ name: pagers, kind: file, file: x }] }';
    const lab = await startReceivers({ known: alerts, settings });
    const summary = async (path: string) => {
      const groups: { labels: unknown; receiver: { name: string }; alerts: unknown[] }[] =
        JSON.parse((await lab.get(path)).text);
      return groups.map(({ labels, receiver, alerts }) => [receiver.name, labels, alerts.length]);
    };

    expect(await summary('/api/v2/alerts/groups')).toEqual([
      ['pubsub', { alertname: 'Heat' }, 1],
      ['pubsub', { alertname: 'Disk' }, 1],
      ['pagers', { alertname: 'Heat' }, 1],
      ['pagers', { alertname: 'Disk' }, 1],
    ]);
    expect(await summary('/api/v2/alerts/groups?receiver=pagers&filter=alertname%3DDisk')).toEqual([
      ['pagers', { alertname: 'Disk' }, 1],
    ]);
    expect(JSON.parse((await lab.get('/api/v2/receivers')).text)).toEqual([
      { name: 'pubsub' },
      { name: 'pagers' },
    ]);
  });

  it('reports its status and version', async () => {
    const lab = await startReceivers();

    const status: unknown = JSON.parse((await lab.get('/api/v2/status')).text);

    expect(status).toMatchObject({
      cluster: { status: 'disabled' },
      config: { original: expect.stringContaining('name: pubsub') },
      uptime: '2026-11-20T08:00:00.000Z',
      versionInfo: { version: '1.2.3' },
    });
  });

  it('has no silences, and names where they belong', async () => {
    const lab = await startReceivers();

    const none = await lab.get('/api/v2/silences');
    const made = await lab.post('/api/v2/silences', { matchers: [] });
    const one = await lab.get('/api/v2/silence/1');

    expect([none.status, none.text]).toEqual([200, '[]']);
    expect([made.status, one.status]).toEqual([400, 400]);
    expect(JSON.parse(made.text)).toContain('in the Alertmanager that sends to this service');
  });

  it.each(['/-/ready', '/-/healthy'])('answers %s', async (path) => {
    const lab = await startReceivers();

    const answer = await lab.get(path);

    expect([answer.status, answer.text]).toEqual([200, 'OK']);
  });
});
