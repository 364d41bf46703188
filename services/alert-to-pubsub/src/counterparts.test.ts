/** The whole service between its real counterparts: Prometheus and Alertmanager before it, Google's client behind it. */

import type { Clock } from '@skolo/common';
import { peer, startPstest } from '@skolo/simulators';
import type { Program } from '@skolo/simulators/prometheus';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { type Exporter, startExporter } from './testing/exporter.ts';
import { type Lab, newPubSub, startLab } from './testing/lab.ts';
import { movedClock } from './testing/moved-clock.ts';
import {
  alertingAt,
  alertingOf,
  signedIn,
  startAlertmanager,
  startPrometheus,
  writeSecrets,
} from './testing/rack-senders.ts';
import { startSubscriber } from './testing/subscriber.ts';

const [prometheus, alertmanager] = [peer('prometheus'), peer('alertmanager')];
const noAlertmanager = 'Alertmanager is not installed (Debian: prometheus-alertmanager)';
const noPrometheus = 'Prometheus is not installed (Debian: prometheus)';

/** Programs of others take seconds to see what is new, and more on a busy computer. */
function eventually<T>(look: () => T | Promise<T>) {
  return expect.poll(look);
}

/** A scrape that comes late changes nothing. */
const hot = `{
  alert: Hot,
  expr: 'last_over_time(temperature[1m]) > 70',
  labels: { severity: critical },
  annotations: { summary: '{{ $value }} degrees' },
}`;

/** What the exporter exports, and where it is. */
async function startThermometer(): Promise<Exporter> {
  const exporter = await startExporter();
  exporter.set('temperature', 40);
  return exporter;
}

/** A rack's service, with a subscriber behind it and a thermometer for Prometheus. */
async function startStack(settings = signedIn, clock?: Clock) {
  const pubsub = await newPubSub();
  const subscriber = await startSubscriber(pubsub.endpoint);
  const thermometer = await startThermometer();
  const lab = await startLab({ pubsub, settings, ...(clock && { clock }) });
  await writeSecrets(lab);
  const rack = { rules: hot, scrapes: thermometer.host, alerting: alertingOf(lab) };
  return { pubsub, subscriber, thermometer, lab, rack };
}

const knownStatus = async (lab: Lab, name: string) =>
  (await lab.alerts()).find(({ labels }) => labels.alertname === name)?.status;

describe('Prometheus alone', () => {
  it("reaches a subscriber on Google's pstest, or on the embedded Pub/Sub where that is not built: what fires, and that it ended", async ({
    skip,
  }) => {
    if (!prometheus) return skip(noPrometheus);
    const pstest = await startPstest();
    if (pstest) {
      onTestFinished(() => pstest.close());
      vi.stubEnv('PUBSUB_EMULATOR_HOST', pstest.endpoint);
      onTestFinished(() => void vi.stubEnv('PUBSUB_EMULATOR_HOST', undefined));
    }
    const { subscriber, thermometer, rack } = await startStack();
    await startPrometheus(prometheus, rack);

    thermometer.set('temperature', 90);
    await eventually(subscriber.summaries).toEqual(['transition firing Hot']);
    thermometer.set('temperature', 50);
    await eventually(subscriber.summaries).toEqual([
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
  });

  it('is reported missing when it is killed: its alert ends as expired, and heartbeats are unhealthy until it is back', async ({
    skip,
  }) => {
    if (!prometheus) return skip(noPrometheus);
    const clock = movedClock();
    const settings = `${signedIn}\nheartbeatSeconds: 1\nrefreshSeconds: 240\nwatchdog: { withinSeconds: 600 }`;
    const { subscriber, thermometer, lab, rack } = await startStack(settings, clock);
    thermometer.set('temperature', 90);
    const first = await startPrometheus(prometheus, rack);
    await eventually(subscriber.summaries).toEqual(['transition firing Hot']);
    expect(new Set(subscriber.health())).toEqual(new Set(['healthy']));

    // Back at once: with another start, and the same alert.
    await first.kill();
    const times = async () => (await lab.alerts())[0]?.count ?? 0;
    const before = await times();
    const second = await startPrometheus(prometheus, rack);
    await eventually(times).toBeGreaterThan(before);
    expect(subscriber.summaries()).toEqual(['transition firing Hot']);

    await second.kill();
    clock.passUnseen(601);
    await eventually(subscriber.summaries).toEqual([
      'transition firing Hot',
      'transition resolved Hot expired',
    ]);
    await eventually(() => subscriber.health().at(-1)).toBe('unhealthy');
    expect((await lab.client.status({})).why).toMatch(
      /^Prometheus or Alertmanager has been silent since/,
    );

    await startPrometheus(prometheus, rack);
    await eventually(() => subscriber.summaries().at(-1)).toBe('transition firing Hot');
    await eventually(() => subscriber.health().at(-1)).toBe('healthy');
    expect(subscriber.summaries()).toHaveLength(3);
  });

  it('may be two that watch the same: the alert is one, and outlives either of them', async ({
    skip,
  }) => {
    if (!prometheus) return skip(noPrometheus);
    const { subscriber, thermometer, lab, rack } = await startStack();
    const lastHeardFrom = async () => (await lab.alerts())[0]?.generatorURL;
    const of = ({ url }: Program) => expect.stringContaining(`:${new URL(url).port}/graph`);

    thermometer.set('temperature', 90);
    const first = await startPrometheus(prometheus, { ...rack, replica: 'a' });
    await eventually(lastHeardFrom).toEqual(of(first));
    // It sees the alert begin long after the first has sent it.
    const second = await startPrometheus(prometheus, { ...rack, replica: 'b' });
    await eventually(lastHeardFrom).toEqual(of(second));
    await first.kill();
    thermometer.set('temperature', 50);

    await eventually(subscriber.summaries).toEqual([
      'transition firing Hot',
      'transition resolved Hot',
    ]);
  });

  it('gets a short alert delivered that came and went while Pub/Sub was away, and the gap reported', async ({
    skip,
  }) => {
    if (!prometheus) return skip(noPrometheus);
    const clock = movedClock();
    const { pubsub, subscriber, thermometer, lab, rack } = await startStack(signedIn, clock);
    await pubsub.stop();
    await startPrometheus(prometheus, rack);
    thermometer.set('temperature', 90);
    await eventually(() => knownStatus(lab, 'Hot')).toBe('firing');
    thermometer.set('temperature', 50);
    await eventually(() => knownStatus(lab, 'Hot')).toBe('resolved');
    clock.pass(120);
    await pubsub.start();

    await eventually(subscriber.summaries).toHaveLength(3);
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
    expect(subscriber.summaries().filter((summary) => summary.endsWith('Hot'))).toEqual([
      'transition firing Hot',
      'transition resolved Hot',
    ]);
  });
});

describe('Prometheus and Alertmanager', () => {
  it('deliver firing and resolved alerts to a subscriber', async ({ skip }) => {
    if (!prometheus) return skip(noPrometheus);
    if (!alertmanager) return skip(noAlertmanager);
    const { subscriber, thermometer, lab, rack } = await startStack(`${signedIn}\nformat: full`);
    const between = await startAlertmanager(alertmanager, lab.url);
    const watchdog = `{ alert: Watchdog, expr: 'vector(1)' }`;
    const rules = `${hot}, ${watchdog}`;
    await startPrometheus(prometheus, { ...rack, rules, alerting: alertingAt(between) });

    await eventually(subscriber.summaries).toEqual(['transition firing Watchdog']);
    thermometer.set('temperature', 90);
    await eventually(() => subscriber.summaries().slice(1)).toEqual(['transition firing Hot']);
    thermometer.set('temperature', 50);
    await eventually(() => subscriber.summaries().slice(1)).toEqual([
      'transition firing Hot',
      'transition resolved Hot',
    ]);

    expect(JSON.parse(String(subscriber.received()[1]?.data))).toMatchObject({
      schema: '1',
      kind: 'transition',
      location: 'rack4',
      endpoint: 'webhook',
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

  it('at both endpoints at once are one alert that fires and ends once', async ({ skip }) => {
    if (!prometheus) return skip(noPrometheus);
    if (!alertmanager) return skip(noAlertmanager);
    const { subscriber, thermometer, lab, rack } = await startStack();
    // The other ways to sign in than in the other tests.
    const between = await startAlertmanager(alertmanager, lab.url, (config) =>
      config.replace(/basic_auth: .*/, 'authorization: { credentials_file: skolo-token }'),
    );
    const alerting = alertingOf(lab, between).replace(
      /authorization: .*/,
      'basic_auth: { username: alertmanager, password_file: skolo-password }',
    );
    await startPrometheus(prometheus, { ...rack, alerting });
    const endpointsWith = async (status: string) => {
      const metrics = await lab.metrics();
      return ['v2', 'webhook'].filter((endpoint) =>
        new RegExp(
          `^skolo_alerts_received_total{endpoint="${endpoint}",status="${status}"} [1-9]`,
          'm',
        ).test(metrics),
      );
    };

    thermometer.set('temperature', 90);
    await eventually(() => endpointsWith('firing')).toEqual(['v2', 'webhook']);
    thermometer.set('temperature', 50);
    await eventually(() => endpointsWith('resolved')).toEqual(['v2', 'webhook']);

    await eventually(subscriber.summaries).toEqual([
      'transition firing Hot',
      'transition resolved Hot',
    ]);
    expect(await lab.alerts()).toMatchObject([{ status: 'resolved', labels: { job: 'test' } }]);
  });
});
