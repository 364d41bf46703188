/** The whole service between its real counterparts: Prometheus, Alertmanager and amtool before it, Google's client behind it. */
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseTemplate } from '@skolo/alerts';
import { parseRack } from '@skolo/rack';
import { peer, startPubSubEmulator } from '@skolo/simulators';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { z } from 'zod';
import { type Exporter, startExporter } from './testing/exporter.ts';
import { type Lab, newPubSub, startLab } from './testing/lab.ts';
import { movedClock } from './testing/moved-clock.ts';
import { runProgram } from './testing/program.ts';
import {
  alertingAt,
  alertingOf,
  password,
  signedIn,
  startAlertmanager,
  startPrometheus,
  token,
  writeSecrets,
} from './testing/rack-senders.ts';
import { yamlOfReadme } from './testing/readme.ts';
import { startSubscriber } from './testing/subscriber.ts';

const [prometheus, alertmanager, amtool, promtool] = [
  peer('prometheus'),
  peer('alertmanager'),
  peer('amtool'),
  peer('promtool'),
];
const noAlertmanager = 'Alertmanager is not installed (Debian: prometheus-alertmanager)';
const noPrometheus = 'Prometheus is not installed (Debian: prometheus)';
const noEmulator = 'pubsub-emulator is not installed';

// Without it the clients look for a metadata server of Google's, though they need no credentials.
vi.stubEnv('METADATA_SERVER_DETECTION', 'none');

vi.setConfig({ testTimeout: 180_000 });

/** Programs of others take seconds to see what is new, and more on a busy computer. */
function eventually<T>(look: () => T | Promise<T>) {
  return expect.poll(look, { timeout: 60_000 });
}

/** A scrape that comes late changes nothing. */
const hot = `{
  alert: Hot,
  expr: 'last_over_time(temperature[1m]) > 70',
  labels: { severity: critical },
  annotations: { summary: '{{ $value }} degrees' },
}`;

/** What the exporter says, and where it is. */
async function startThermometer(): Promise<Exporter> {
  const exporter = await startExporter();
  exporter.set('temperature', 40);
  return exporter;
}

const knownStatus = async (lab: Lab, name: string) =>
  (await lab.alerts()).find(({ labels }) => labels.alertname === name)?.status;

describe('Prometheus alone', () => {
  it.for(['the embedded Pub/Sub', "Google's emulator"])(
    'reaches a subscriber on %s: what fires, and that it ended',
    async (kind, { skip }) => {
      if (!prometheus) return skip(noPrometheus);
      if (kind === "Google's emulator") {
        const emulator = await startPubSubEmulator();
        if (!emulator) return skip(noEmulator);
        onTestFinished(() => emulator.close());
        vi.stubEnv('PUBSUB_EMULATOR_HOST', emulator.endpoint);
        onTestFinished(() => void vi.stubEnv('PUBSUB_EMULATOR_HOST', undefined));
      }
      const pubsub = await newPubSub();
      const subscriber = await startSubscriber(pubsub.endpoint);
      const thermometer = await startThermometer();
      const lab = await startLab({ pubsub, settings: signedIn });
      await writeSecrets(lab);
      await startPrometheus(prometheus, {
        rules: hot,
        scrapes: thermometer.host,
        alerting: alertingOf(lab),
      });

      thermometer.set('temperature', 90);
      await eventually(subscriber.said).toEqual(['transition firing Hot']);
      thermometer.set('temperature', 50);
      await eventually(subscriber.said).toEqual([
        'transition firing Hot',
        'transition resolved Hot',
      ]);

      const [fired, ended] = subscriber.received();
      expect(JSON.parse(String(fired?.data))).toMatchObject({
        alertname: 'Hot',
        severity: 'critical',
        job: 'test',
        summary: '90 degrees',
        __state__: 'active',
        link_to_source: expect.stringContaining('/graph?g0.expr=last_over_time'),
        location: 'rack4',
      });
      expect(ended?.attributes.fingerprint).toBe(fired?.attributes.fingerprint);
      expect(ended?.attributes.id).not.toBe(fired?.attributes.id);
    },
  );

  it('is missed when it is killed: its alert ends as expired, the heartbeat says so, until it is back', async ({
    skip,
  }) => {
    if (!prometheus) return skip(noPrometheus);
    const clock = movedClock();
    const pubsub = await newPubSub();
    const subscriber = await startSubscriber(pubsub.endpoint);
    const thermometer = await startThermometer();
    const settings = `${signedIn}\nheartbeatSeconds: 1\nrefreshSeconds: 240\nwatchdog: { withinSeconds: 60 }`;
    const lab = await startLab({ pubsub, clock, settings });
    await writeSecrets(lab);
    const rack = { rules: hot, scrapes: thermometer.host, alerting: alertingOf(lab) };
    thermometer.set('temperature', 90);
    const first = await startPrometheus(prometheus, rack);
    await eventually(subscriber.said).toEqual(['transition firing Hot']);
    expect(new Set(subscriber.health())).toEqual(new Set(['healthy']));

    // Back at once: with another start, and the same alert.
    await first.kill();
    const times = async () => (await lab.alerts())[0]?.count ?? 0;
    const before = await times();
    const second = await startPrometheus(prometheus, rack);
    await eventually(times).toBeGreaterThan(before);
    expect(subscriber.said()).toEqual(['transition firing Hot']);

    await second.kill();
    clock.passUnseen(61);
    await eventually(subscriber.said).toEqual([
      'transition firing Hot',
      'transition resolved Hot expired',
    ]);
    await eventually(() => subscriber.health().at(-1)).toBe('unhealthy');
    expect((await lab.client.status({})).why).toMatch(
      /^Prometheus or Alertmanager is silent since/,
    );

    await startPrometheus(prometheus, rack);
    await eventually(() => subscriber.said().at(-1)).toBe('transition firing Hot');
    await eventually(() => subscriber.health().at(-1)).toBe('healthy');
    expect(subscriber.said()).toHaveLength(3);
  });

  it('has a short alert delivered that came and went while Pub/Sub was away, and the gap told', async ({
    skip,
  }) => {
    if (!prometheus) return skip(noPrometheus);
    const clock = movedClock();
    const pubsub = await newPubSub();
    const subscriber = await startSubscriber(pubsub.endpoint);
    const thermometer = await startThermometer();
    const lab = await startLab({ pubsub, clock, settings: signedIn });
    await writeSecrets(lab);
    await pubsub.stop();
    await startPrometheus(prometheus, {
      rules: hot,
      scrapes: thermometer.host,
      alerting: alertingOf(lab),
    });
    thermometer.set('temperature', 90);
    await eventually(() => knownStatus(lab, 'Hot')).toBe('firing');
    thermometer.set('temperature', 50);
    await eventually(() => knownStatus(lab, 'Hot')).toBe('resolved');
    clock.pass(120);
    await pubsub.start();

    await eventually(subscriber.said).toHaveLength(3);
    const [fired, ended, gap] = lab.arrived();
    expect(lab.arrived().map(({ attributes }) => attributes.alertname)).toEqual([
      ...['Hot', 'Hot'],
      'AlertDeliveryGap',
    ]);
    expect([fired, ended].map((arrived) => arrived?.attributes.status)).toEqual([
      ...['firing', 'resolved'],
    ]);
    expect(gap?.body).toMatchObject({ messages: '2', severity: 'warning' });
    // Pub/Sub keeps the order of an alert; the notice is of another key.
    expect(subscriber.said().filter((said) => said.endsWith('Hot'))).toEqual([
      'transition firing Hot',
      'transition resolved Hot',
    ]);
  });
});

describe('Prometheus and Alertmanager', () => {
  it('reach a subscriber: what fires, and that it ended', async ({ skip }) => {
    if (!prometheus) return skip(noPrometheus);
    if (!alertmanager) return skip(noAlertmanager);
    const pubsub = await newPubSub();
    const subscriber = await startSubscriber(pubsub.endpoint);
    const thermometer = await startThermometer();
    const lab = await startLab({ pubsub, settings: `${signedIn}\nformat: full` });
    await writeSecrets(lab);
    const between = await startAlertmanager(alertmanager, lab.url);
    const watchdog = `{ alert: Watchdog, expr: 'vector(1)' }`;
    await startPrometheus(prometheus, {
      rules: `${hot}, ${watchdog}`,
      scrapes: thermometer.host,
      alerting: alertingAt(between),
    });

    await eventually(subscriber.said).toEqual(['transition firing Watchdog']);
    thermometer.set('temperature', 90);
    await eventually(() => subscriber.said().slice(1)).toEqual(['transition firing Hot']);
    thermometer.set('temperature', 50);
    await eventually(() => subscriber.said().slice(1)).toEqual([
      'transition firing Hot',
      'transition resolved Hot',
    ]);

    expect(JSON.parse(String(subscriber.received()[1]?.data))).toMatchObject({
      schema: '1',
      kind: 'transition',
      location: 'rack4',
      door: 'webhook',
      alert: {
        status: 'firing',
        labels: { alertname: 'Hot', severity: 'critical', job: 'test' },
        annotations: { summary: '90 degrees' },
      },
      group: {
        receiver: 'skolo',
        labels: { alertname: 'Hot' },
        externalURL: expect.stringContaining('http'),
      },
    });
    expect(await lab.client.status({})).toMatchObject({ healthy: true, firing: 1 });
  });

  it('at both doors at once are one alert that fires and ends once', async ({ skip }) => {
    if (!prometheus) return skip(noPrometheus);
    if (!alertmanager) return skip(noAlertmanager);
    const pubsub = await newPubSub();
    const subscriber = await startSubscriber(pubsub.endpoint);
    const thermometer = await startThermometer();
    const lab = await startLab({ pubsub, settings: signedIn });
    await writeSecrets(lab);
    // The other ways to sign in than in the other tests.
    const between = await startAlertmanager(alertmanager, lab.url, (config) =>
      config.replace(/basic_auth: .*/, 'authorization: { credentials_file: skolo-token }'),
    );
    const alerting = alertingOf(lab, between).replace(
      /authorization: .*/,
      'basic_auth: { username: alertmanager, password_file: skolo-password }',
    );
    await startPrometheus(prometheus, { rules: hot, scrapes: thermometer.host, alerting });
    const heard = async (status: string) => {
      const metrics = await lab.metrics();
      return ['v2', 'webhook'].filter((door) =>
        metrics.includes(`skolo_alerts_received_total{door="${door}",status="${status}"}`),
      );
    };

    thermometer.set('temperature', 90);
    await eventually(() => heard('firing')).toEqual(['v2', 'webhook']);
    thermometer.set('temperature', 50);
    await eventually(() => heard('resolved')).toEqual(['v2', 'webhook']);

    await eventually(subscriber.said).toEqual(['transition firing Hot', 'transition resolved Hot']);
    expect(await lab.alerts()).toMatchObject([{ status: 'resolved', labels: { job: 'test' } }]);
  });
});

const Gettable = z.array(
  z.object({ labels: z.record(z.string(), z.string()), fingerprint: z.string() }),
);
const Webhook = z.object({ alerts: Gettable });

/** As `NAME FINGERPRINT`. */
function fingerprints(alerts: z.output<typeof Gettable>): string[] {
  return alerts.map(({ labels, fingerprint }) => `${labels.alertname} ${fingerprint}`).sort();
}

/** Keeps what Alertmanager posts. */
async function startWebhook() {
  const bodies: z.output<typeof Webhook>[] = [];
  const server = createServer(async (request, response) => {
    const body: unknown = JSON.parse(Buffer.concat(await request.toArray()).toString());
    bodies.push(Webhook.parse(body));
    response.end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : undefined;
  return { url: `http://127.0.0.1:${port}/`, alerts: () => bodies.flatMap(({ alerts }) => alerts) };
}

describe('an identity', () => {
  it('is the one that Alertmanager computes', async ({ skip }) => {
    if (!alertmanager) return skip(noAlertmanager);
    const lab = await startLab({ settings: signedIn });
    await writeSecrets(lab);
    const theirs = await startWebhook();
    const between = await startAlertmanager(alertmanager, lab.url, (config) =>
      config.replace('    webhook_configs:\n', `$&      - url: ${theirs.url}\n`),
    );
    const alerts = [
      { alertname: 'plain' },
      { alertname: 'empty', nothing: '', more: '' },
      { alertname: 'order', _b: '1', B: '2', b: '3', b_: '4', b1: '5', bB: '6', __x__: '7' },
      { alertname: 'lines', text: 'a\nb\tc"d\\e\u0000f' },
      { alertname: 'umlauts', text: 'Grüße aus Zürich, ÿ \u00a0' },
      { alertname: 'beyond', text: '🙂𝕏 \u{10ffff}', other: '\uffff\ue000' },
      { alertname: 'half', text: '\ud83d and \ude42' },
      { alertname: 'joined', a: 'b', ab: '' },
      { alertname: 'long', text: 'ü'.repeat(10_000) },
    ].map((labels) => ({ labels }));
    const body = JSON.stringify(alerts);
    const headers = { 'content-type': 'application/json' };

    const posted = await fetch(`${between.url}/api/v2/alerts`, { method: 'POST', body, headers });
    expect(posted.status).toBe(200);
    await eventually(async () => (await lab.alerts()).length).toBe(alerts.length);
    await eventually(() => theirs.alerts().length).toBe(alerts.length);
    const told = Gettable.parse(await (await fetch(`${between.url}/api/v2/alerts`)).json());

    expect(fingerprints(theirs.alerts())).toEqual(fingerprints(told));
    expect(fingerprints(await lab.alerts())).toEqual(fingerprints(told));
    // And at the other door, where nobody tells a fingerprint.
    const authorization = `Bearer ${token}`;
    const direct = { method: 'POST', body, headers: { ...headers, authorization } };
    expect((await fetch(`${lab.url}/api/v2/alerts`, direct)).status).toBe(200);
    expect(fingerprints(await lab.alerts())).toEqual(fingerprints(told));
  });
});

async function tempFile(name: string, text: string): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'skolo-amtool-'));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  await writeFile(join(dir, name), text, { mode: 0o600 });
  return join(dir, name);
}

describe('amtool', () => {
  it('adds alerts that arrive, finds them, and hears that nothing is silenced here', async ({
    skip,
  }) => {
    if (!amtool) return skip(noAlertmanager);
    const lab = await startLab({ settings: signedIn });
    await writeSecrets(lab);
    const client = `basic_auth: { username: alertmanager, password: ${password} }\n`;
    const file = await tempFile('client.yml', client);
    const ask = (...words: string[]) =>
      runProgram(amtool, [
        `--alertmanager.url=${lab.url}`,
        ...[`--http.config.file=${file}`, ...words],
      ]);

    const added = await ask('alert', 'add', 'Disk', 'severity=critical', '--annotation=text=full');
    await ask('alert', 'add', 'Heat', 'severity=warning');
    await eventually(() => lab.arrived().map(({ attributes }) => attributes.alertname)).toEqual([
      'Disk',
      'Heat',
    ]);
    const found = await ask('alert', 'query', '--output=json', 'severity=~crit.*');
    const none = await ask('alert', 'query', '--output=simple', 'alertname=~"Dis"');
    const silence = await ask('silence', 'add', '--author=ann', '--comment=fan', 'alertname=Disk');
    const stranger = await runProgram(amtool, [`--alertmanager.url=${lab.url}`, 'alert', 'query']);

    expect(added).toMatchObject({ status: 0, stdout: '' });
    expect(found.status).toBe(0);
    expect(JSON.parse(found.stdout)).toMatchObject([
      { labels: { alertname: 'Disk' }, annotations: { text: 'full' }, status: { state: 'active' } },
    ]);
    expect(none).toMatchObject({ status: 0, stdout: expect.not.stringContaining('Disk') });
    expect([silence.status, stranger.status]).toEqual([1, 1]);
    expect(silence.stderr).toContain('make silences in the Alertmanager before this');
  });
});

describe('README.md', () => {
  it('has an Alertmanager that amtool accepts', async ({ skip }) => {
    if (!amtool) return skip(noAlertmanager);
    const file = await tempFile('alertmanager.yml', yamlOfReadme('webhook_configs:'));

    const { status, stdout } = await runProgram(amtool, ['check-config', file]);

    expect([status, stdout]).toEqual([0, expect.stringContaining('SUCCESS')]);
  });

  it('has a Prometheus that promtool accepts', async ({ skip }) => {
    if (!promtool) return skip(noPrometheus);
    const file = await tempFile('prometheus.yml', yamlOfReadme('alertmanagers:'));
    for (const name of ['skolo-token', 'skolo-password']) {
      await writeFile(join(file, '..', name), 'x', { mode: 0o600 });
    }

    const { status, stdout } = await runProgram(promtool, ['check', 'config', file]);

    expect([status, stdout]).toEqual([0, expect.stringContaining('SUCCESS')]);
  });

  it('has settings that rack.yaml takes', () => {
    const yaml = `rack: rack4\njumphost: { name: jumphost-rack4, address: 192.168.1.8 }\n${yamlOfReadme('alert-to-pubsub:')}`;

    const { sinks } = parseRack(yaml, { file: '/etc/skolo/rack.yaml' }).services['alert-to-pubsub'];

    const [body = ''] = sinks.flatMap((sink) => (sink.kind === 'http' ? [sink.body ?? ''] : []));
    const at = '2026-11-20T07:30:00.000Z';
    const text = 'it says "no"';
    const notice = { kind: 'notice', id: '0', at, notice: 'gap', text, facts: {} } as const;
    expect(JSON.parse(parseTemplate(body).render(notice, 'rack4'))).toEqual({
      topic: 'rack4',
      title: 'AlertDeliveryGap firing',
      message: text,
    });
  });
});
