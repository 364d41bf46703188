import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from '@skolo/base/testing';
import { fakeClock } from '@skolo/common/testing';
import { freeTcpPort } from '@skolo/simulators/free-port';
import { describe, expect, it } from 'vitest';
import { ReadingNote } from './state/reading-note.ts';
import { type Lab, startLab } from './testing/lab.ts';

const down = { labels: { alertname: 'InstanceDown', instance: 'rpi-1' } };
const firing = { ...down, endsAt: '2099-01-01T00:00:00Z' };
const resolved = { ...down, endsAt: '2026-11-20T07:00:00Z' };

const summaries = (lab: Lab) =>
  lab
    .arrived()
    .map(({ kind, attributes }) =>
      kind === 'notice' ? `notice ${attributes.alertname}` : `${kind} ${attributes.status}`,
    );

describe('alert-to-pubsub', () => {
  it('publishes firing and resolved alerts, as the original did', async () => {
    const lab = await startLab();
    const answer = await lab.post({ ...firing, annotations: { summary: 'it is down' } });
    await lab.post(resolved);

    expect([answer.status, await answer.text()]).toEqual([200, '']);
    await expect.poll(() => summaries(lab)).toEqual(['transition firing', 'transition resolved']);
    expect(lab.arrived()[0]).toMatchObject({
      body: {
        alertname: 'InstanceDown',
        instance: 'rpi-1',
        summary: 'it is down',
        __state__: 'active',
        location: 'rack4',
      },
      attributes: { alertname: 'InstanceDown', location: 'rack4', status: 'firing' },
    });
    expect(new Set(lab.arrived().map(({ orderingKey }) => orderingKey)).size).toBe(1);
  });

  it('delivers a short alert that came and went while Pub/Sub was away', async () => {
    const lab = await startLab();
    await lab.pubsub.stop();
    await lab.post(firing);
    await lab.post(resolved);
    await expect.poll(async () => (await lab.client.status({})).sinks[0]?.reason).toBeDefined();
    expect(await lab.readyz()).toMatchObject({
      status: 200,
      body: expect.stringContaining('sink pubsub'),
    });
    await lab.pubsub.start();

    await expect.poll(() => summaries(lab)).toEqual(['transition firing', 'transition resolved']);
  });

  it('continues after a restart: delivered alerts are known, undelivered ones are delivered', async () => {
    const lab = await startLab();
    await lab.post(firing);
    await expect.poll(() => summaries(lab)).toEqual(['transition firing']);
    // What arrived without the service's knowledge arrives again.
    await expect.poll(async () => (await lab.client.status({})).sinks[0]?.depth).toBe(0);
    await lab.pubsub.stop();
    await lab.post(resolved);
    await lab.stop();
    await lab.pubsub.start();
    const again = await startLab({ previous: lab });
    await expect.poll(() => summaries(again)).toEqual(['transition firing', 'transition resolved']);
    await again.post(resolved);
    await again.post(firing);

    await expect
      .poll(() => summaries(again))
      .toEqual(['transition firing', 'transition resolved', 'transition firing']);
  });

  it('responds with 503 and Retry-After while it loads its spool', async () => {
    const lab = await startLab();
    await lab.stop();
    const port = await freeTcpPort();
    // Reading a pipe takes until somebody has written to it.
    const mark = join(lab.stateDir, 'spool.mark');
    const bytes = await readFile(mark);
    await rm(mark);
    await run('mkfifo', [mark]);
    const starting = startLab({ previous: lab, port });
    const webhook = { version: '4', alerts: [firing] };
    const bodies = { '/webhook': webhook, '/api/v1/alerts': [firing], '/api/v2/alerts': [firing] };
    async function post() {
      const responses = Object.entries(bodies).map(async ([path, body]) => {
        const options = { method: 'POST', body: JSON.stringify(body) };
        const { status, headers } = await fetch(`http://127.0.0.1:${port}${path}`, options);
        return [status, headers.get('retry-after')];
      });
      return await Promise.all(responses);
    }

    await expect.poll(post).toEqual(Array(3).fill([503, '5']));
    await writeFile(mark, bytes);
    const started = await starting;

    expect(await post()).toEqual(Array(3).fill([200, null]));
    await expect.poll(() => summaries(started)).toEqual(['transition firing']);
  });

  it('sends everything to each sink, at its own pace', async () => {
    const lab = await startLab({
      settings: (dir) => `sinks: [{ name: log, kind: file, file: ${dir}/log.jsonl }]`,
    });
    await lab.pubsub.stop();
    await lab.post(firing);

    await expect
      .poll(async () => (await lab.client.status({})).sinks.map(({ depth }) => depth))
      .toEqual([1, 0]);
  });

  it.each([
    ['small objects', Array.from({ length: 3000 }, () => ({}))],
    ['names of their own', Object.fromEntries(Array.from({ length: 900 }, (_, i) => [`${i}`, 0]))],
    ['deep lists', Array.from({ length: 600 }, () => [[[[]]]])],
    ['a long text', 'x'.repeat(70_000)],
  ])(
    'leaves out unknown fields that take too much memory, and sends the alert: %s',
    async (_, junk) => {
      const lab = await startLab({ settings: 'format: full' });

      const posted = await lab.post({ ...firing, junk, note: 'small' });
      const repeated = await lab.post({ ...firing, junk, note: 'small' });

      expect([posted.status, repeated.status]).toEqual([200, 200]);
      await expect.poll(() => lab.arrived().length).toBe(1);
      const text = JSON.stringify(lab.arrived());
      expect(text).toContain('small');
      expect(text).not.toContain('junk');
      const { deadLetters } = await lab.client.deadLetters({ query: { limit: 10 } });
      expect(deadLetters).toMatchObject([
        { from: 'v2', why: expect.stringContaining('require more than 64 KiB of memory: "junk"') },
      ]);
      const metrics = await lab.metrics();
      expect(metrics).toContain('skolo_alerts_stripped_total{endpoint="v2"} 2');
      expect(metrics).toContain('skolo_alerts_rejected_total{endpoint="v2",reason="bad"} 0');
    },
  );

  it('leaves out unknown fields of a group, too', async () => {
    const lab = await startLab({ settings: 'format: full' });
    const junk = Array.from({ length: 3000 }, () => ({}));
    const message = {
      version: '4',
      alerts: [{ ...firing, status: 'firing' }],
      junk,
      note: 'small',
    };

    const posted = await fetch(`${lab.url}/webhook`, {
      method: 'POST',
      body: JSON.stringify(message),
    });

    expect(posted.status).toBe(200);
    await expect.poll(() => lab.arrived().length).toBe(1);
    expect(JSON.stringify(lab.arrived())).not.toContain('junk');
    const { deadLetters } = await lab.client.deadLetters({ query: { limit: 10 } });
    expect(deadLetters).toMatchObject([
      { from: 'webhook', why: expect.stringMatching(/^group: /) },
    ]);
  });

  describe('after it has died twice while it read the spool', () => {
    /** Takes 600 kB of memory, in far less text. */
    const many = Object.fromEntries(Array.from({ length: 4000 }, (_, i) => [`name${i}`, 'x']));
    async function restarted(lab: Lab, deaths: number): Promise<Lab> {
      await lab.stop();
      for (let n = 0; n < deaths; n += 1) await new ReadingNote(lab.stateDir).begin();
      return await startLab({ previous: lab });
    }
    const letters = async ({ client }: Lab) =>
      (await client.deadLetters({ query: { limit: 10 } })).deadLetters;
    const names = (lab: Lab) =>
      lab.arrived().flatMap(({ kind, body }) => (kind === 'notice' ? [] : [body.alertname]));

    it.each([
      ['many labels', { labels: { alertname: 'Large', ...many } }],
      ['many annotations', { labels: { alertname: 'Large' }, annotations: many }],
    ])(
      'it moves a large record to the dead letters: once, whole, for good: %s',
      async (_, large) => {
        const first = await startLab();
        await first.pubsub.stop();
        await first.post(large);
        await first.post({ labels: { alertname: 'Small' } });

        const third = await restarted(first, 2);
        await third.pubsub.start();

        await expect.poll(() => names(third)).toEqual(['Small']);
        expect(third.logged()).toContainEqual(expect.objectContaining({ deaths: 2 }));
        const [letter, ...others] = await letters(third);
        expect(others).toEqual([]);
        expect(letter).toMatchObject({
          from: 'spool',
          why: expect.stringMatching(/^spool record 1 requires more than 512 KiB/),
        });
        expect(JSON.parse(String(letter?.found)).alert).toMatchObject(large);
        const fourth = await restarted(third, 0);
        await fourth.post({ labels: { alertname: 'Later' } });
        await expect.poll(() => names(fourth)).toEqual(['Small', 'Later']);
        expect((await fourth.alerts()).map(({ labels }) => labels.alertname)).not.toContain(
          'Large',
        );
        expect(await letters(fourth)).toHaveLength(1);
      },
    );

    it('it still knows large alerts that were delivered', async () => {
      const large = { ...firing, annotations: many };
      const first = await startLab();
      await first.post(large);
      await expect.poll(async () => (await first.client.status({})).sinks[0]?.depth).toBe(0);
      await expect.poll(() => first.arrived().length).toBe(1);

      const third = await restarted(first, 2);
      await third.post({ ...large, endsAt: resolved.endsAt });

      await expect.poll(() => third.arrived().length).toBe(2);
      expect(third.arrived()[1]).toMatchObject({ attributes: { status: 'resolved' } });
      expect(await letters(third)).toEqual([]);
    });

    it('it delivers alerts of long texts', async () => {
      const first = await startLab();
      await first.pubsub.stop();
      for (const text of ['x'.repeat(130_000), '語'.repeat(45_000)]) {
        await first.post({ labels: { alertname: text.slice(0, 1) }, annotations: { text } });
      }

      const third = await restarted(first, 2);
      await third.pubsub.start();

      await expect.poll(() => names(third).sort()).toEqual(['x', '語']);
      expect(await letters(third)).toEqual([]);
    });
  });

  it('counts from zero, so that the first one is an increase', async () => {
    const lab = await startLab({
      settings: (dir) => `sinks: [{ name: log, kind: file, file: ${dir}/log.jsonl }]`,
    });
    const metrics = await lab.metrics();

    for (const line of [
      'skolo_alerts_received_total{endpoint="webhook",status="firing"} 0',
      'skolo_alerts_dead_letters_total{from="v2"} 0',
      'skolo_alerts_dead_letters_total{from="log"} 0',
      'skolo_alerts_dropped_total{sink="pubsub"} 0',
      'skolo_alerts_publish_failures_total{sink="log",reason="disk"} 0',
      'skolo_alerts_publish_failures_total{sink="pubsub",reason="permission"} 0',
      'skolo_alerts_rejected_total{endpoint="webhook",reason="auth"} 0',
      'skolo_alerts_rejected_total{endpoint="v2",reason="bad"} 0',
    ]) {
      expect(metrics).toContain(line);
    }
    expect(metrics).not.toContain('heartbeat_last_success_timestamp_seconds{sink="log"}');
  });

  it('sends heartbeats, unhealthy while it receives nothing', async () => {
    const lab = await startLab({ settings: 'heartbeatSeconds: 1' });
    await expect.poll(() => lab.heartbeats().length).toBeGreaterThan(0);

    expect(lab.heartbeats()[0]).toMatchObject({
      orderingKey: '',
      body: { __name__: 'HEALTHZ', location: 'rack4', healthy: 'true', spoolDepth: '0' },
    });
    expect(lab.heartbeats()[0]?.body.why).toMatch(
      /^no alert, not even Watchdog, has been received/,
    );
  });

  it('reports a sink that takes no heartbeats, also while no alert waits for it', async () => {
    const lab = await startLab({ settings: 'heartbeatSeconds: 1' });
    await lab.pubsub.stop();

    await expect
      .poll(async () => (await lab.client.status({})).sinks[0])
      .toMatchObject({ depth: 0, detail: expect.stringMatching(/^heartbeat: /) });
    expect((await lab.readyz()).body).toContain('sink pubsub');
    await lab.pubsub.start();

    await expect.poll(async () => (await lab.client.status({})).sinks[0]?.reason).toBeUndefined();
    expect((await lab.readyz()).body).not.toContain('sink pubsub');
  });

  it('knows when a sink last took something, after an edit and after a restart', async () => {
    const clock = fakeClock(Date.now());
    const lab = await startLab({ clock });
    const successOf = async ({ client }: Lab) => (await client.status({})).sinks[0]?.lastSuccess;
    await lab.post(firing);
    await expect.poll(() => summaries(lab)).toEqual(['transition firing']);
    clock.pass(600_000);
    await lab.post(resolved);
    await expect.poll(() => summaries(lab)).toContain('transition resolved');
    await expect.poll(() => successOf(lab)).toBe(new Date(clock.now()).toISOString());
    // A late acknowledgement of the first alert sets the same time: wait for that of the second one, too.
    await expect.poll(async () => (await lab.client.status({})).sinks[0]?.depth).toBe(0);
    const last = new Date(clock.now()).toISOString();
    clock.pass(600_000);
    await lab.edit(
      `topic: another\nsinks: [{ name: log, kind: file, file: ${lab.dir}/log.jsonl }]`,
    );
    await expect.poll(async () => (await lab.client.status({})).sinks).toHaveLength(2);

    expect(await successOf(lab)).toBe(last);
    await lab.stop();
    const again = await startLab({ previous: lab, clock });
    expect(await successOf(again)).toBe(last);
  });

  it('follows an edit of its sinks', async () => {
    const lab = await startLab();
    await lab.edit(`sinks: [{ name: log, kind: file, file: ${lab.dir}/log.jsonl }]`);
    await expect
      .poll(async () => (await lab.client.status({})).sinks.map(({ name }) => name))
      .toEqual(['pubsub', 'log']);
    await lab.edit(`pubsub: false\nsinks: [{ name: log, kind: file, file: ${lab.dir}/log.jsonl }]`);

    await expect
      .poll(async () => (await lab.client.status({})).sinks.map(({ name }) => name))
      .toEqual(['log']);
    await lab.edit('pubsub: false');
    await expect
      .poll(async () => (await lab.readyz()).body)
      .toMatch(/so alerts would not be delivered/);
    expect((await lab.client.status({})).sinks.map(({ name }) => name)).toEqual(['log']);
  });

  it('rejects with 503 when the spool is full, and takes alerts again when there is space', async () => {
    const lab = await startLab({ settings: 'spool: { maxBytes: 4194304 }' });
    await lab.pubsub.stop();
    const large = (name: string) => ({
      labels: { alertname: name },
      annotations: { text: 'x'.repeat(950_000) },
    });
    expect((await lab.post(...['a', 'b', 'c'].map(large))).status).toBe(200);
    const rejected = await lab.post(...['d', 'e'].map(large));

    expect(rejected.status).toBe(503);
    expect(await rejected.text()).toMatch(/spool is full/);
    expect((await lab.post(large('a'))).status).toBe(200);
    await lab.pubsub.start();
    // The pause between two attempts to deliver is as long as the sink was away, and at most 30 s.
    await expect.poll(async () => (await lab.post(large('d'))).status, { interval: 500 }).toBe(200);
  });

  it('is not kept healthy by a manual test alert', async () => {
    const clock = fakeClock(Date.now());
    const lab = await startLab({ clock });
    await lab.post(firing);
    clock.pass(299_000);
    const test = { alertname: 'SkoloTest', skolo_test: 'a1b2' };
    expect((await lab.post({ labels: test })).status).toBe(200);
    clock.pass(2000);

    expect(await lab.client.status({})).toMatchObject({
      healthy: false,
      why: expect.stringMatching(/has been silent since/),
    });
    await expect.poll(() => lab.arrived().map(({ body }) => body.skolo_test)).toContain('a1b2');
  });

  it('reports a dead Alertmanager while Prometheus sends, also after a restart', async () => {
    const clock = fakeClock(Date.now());
    const lab = await startLab({ clock });
    const webhook = (alertname: string) => {
      const alerts = [
        { status: 'firing', labels: { alertname }, startsAt: new Date().toISOString() },
      ];
      const body = JSON.stringify({ version: '4', groupKey: alertname, receiver: 'skolo', alerts });
      return fetch(`${lab.url}/webhook`, { method: 'POST', body });
    };
    expect((await webhook('Watchdog')).status).toBe(200);
    clock.pass(301_000);
    await lab.post(firing);
    const silent = {
      healthy: false,
      why: expect.stringMatching(/^Alertmanager has not sent anything to \/webhook since/),
      receivers: [
        { name: 'prometheus', isExpected: false, isSilent: false },
        { name: 'alertmanager', isExpected: true, isSilent: true },
      ],
    };

    expect(await lab.client.status({})).toMatchObject(silent);
    expect(JSON.parse((await lab.readyz()).body)).toMatchObject({
      ready: true,
      degraded: [{ what: 'alert receiver alertmanager', why: silent.why }],
    });
    const metrics = await lab.metrics();
    expect(metrics).toContain('skolo_alerts_heartbeat_healthy 0');
    await lab.stop();
    const again = await startLab({ previous: lab, clock });
    clock.pass(301_000);
    await again.post(firing);
    expect(await again.client.status({})).toMatchObject(silent);
    await again.edit('watchdog: { receivers: [prometheus] }');
    await expect.poll(async () => (await again.client.status({})).healthy).toBe(true);
  });

  it('reports in readyz why it rejects alerts, until it takes them again', async () => {
    const clock = fakeClock(Date.now());
    const lab = await startLab({ clock, settings: 'spool: { maxAgeHours: 1 }' });
    await lab.pubsub.stop();
    await lab.post(firing);
    // It is known how long a message has waited once it was read from the spool.
    // Heartbeats fail, too, and say nothing of that.
    await expect
      .poll(async () => (await lab.client.status({})).sinks[0]?.detail)
      .toMatch(/^Pub\/Sub/);
    clock.pass(2 * 3_600_000);

    expect((await lab.post({ labels: { alertname: 'b' } })).status).toBe(503);
    expect(await lab.readyz()).toEqual({
      status: 503,
      body: expect.stringMatching(/"what":"spool","why":"a sink has accepted nothing for 2 h/),
    });
    await lab.pubsub.start();

    await expect.poll(async () => (await lab.readyz()).status).toBe(200);
    expect((await lab.readyz()).body).not.toContain('"spool"');
  });
});
