/** Alerts that fire while a real Alertmanager does not list them, because Prometheus does not reach it. */
import { lacks, peer } from '@skolo/simulators';
import { alertmanager, startProgram } from '@skolo/simulators/prometheus';
import { describe, expect, it } from 'vitest';
import { startAlertmanagerProxy } from '../testing/alertmanager-proxy.ts';
import { startExporter } from '../testing/exporter.ts';
import { startLab } from '../testing/lab.ts';
import { movedClock } from '../testing/moved-clock.ts';
import { startPrometheus } from '../testing/rack-senders.ts';

const programs = { prometheus: peer('prometheus'), alertmanager: peer('alertmanager') };

const rules = `
  { alert: Watchdog, expr: vector(1) },
  { alert: MachineMissing, expr: 'last_over_time(missing[1m]) > 0' }`;
const both = { Watchdog: true, MachineMissing: true };

/** Alertmanager does not report ends, as if everything was silenced. */
function config(webhook: string): string {
  return `
route: { receiver: skolo, group_by: [alertname], group_wait: 100ms, group_interval: 200ms, repeat_interval: 12h }
receivers: [{ name: skolo, webhook_configs: [{ url: '${webhook}/webhook', send_resolved: false }] }]
`;
}

/**
 * A rack whose Prometheus sends to two Alertmanagers; the service queries the first one.
 *
 * @param resend how often Prometheus sends an alert again. Alertmanager drops it after four times as long: with `1s`, a busy computer may
 * be late, and the 15 minutes in which an end is proved begin again.
 */
async function startRack(resend: '1s' | '15s') {
  const clock = movedClock();
  const [queried, ...posts] = await Promise.all([
    startAlertmanagerProxy(),
    startAlertmanagerProxy(),
    startAlertmanagerProxy(),
  ]);
  const lab = await startLab({ clock, alertmanager: queried.url });
  const exporter = await startExporter();
  exporter.set('missing', 1);
  const targets = posts.map(({ url }) => new URL(url).host);
  const rack = {
    rules,
    scrapes: exporter.host,
    alerting: `alerting: { alertmanagers: [{ static_configs: [{ targets: ${JSON.stringify(targets)} }] }] }`,
    resend,
  };
  const [post, postToOther] = posts;
  if (post === undefined || postToOther === undefined) throw new Error('no addresses');
  return {
    ...{ lab, clock, exporter, queried, post, postToOther },
    prometheus: () => startPrometheus(programs.prometheus ?? '', rack),
    /** `at`: its webhooks have this URL, after a restart, too. */
    alertmanager(at?: { url: string }) {
      const files = alertmanager(config(lab.url));
      const named = at && { 'web.external-url': at.url };
      return startProgram(programs.alertmanager ?? '', {
        ...files,
        flags: (dir) => ({ ...files.flags(dir), ...named }),
      });
    },
    async firing() {
      const alerts = await lab.alerts();
      return Object.fromEntries(
        alerts.map(({ labels, status }) => [labels.alertname ?? '', status === 'firing']),
      );
    },
    /** Some looks later. */
    async later() {
      const enough = queried.looks + 3;
      await expect.poll(() => queried.looks).toBeGreaterThanOrEqual(enough);
    },
    async listed(url: string) {
      const alerts = await (await fetch(`${url}/api/v2/alerts`)).json();
      return Array.isArray(alerts) ? alerts.length : undefined;
    },
  };
}

const patiently = { interval: 100 };

describe.skipIf(lacks('prometheus', 'alertmanager'))('an alert that fires is not resolved', () => {
  it('while Prometheus is not yet back after a power cut, but Alertmanager is', async () => {
    const rack = await startRack('15s');
    const { clock, queried, post, firing, later, lab } = rack;
    const alertmanager = await rack.alertmanager(queried);
    queried.target = post.target = alertmanager.url;
    const prometheus = await rack.prometheus();
    await expect.poll(firing, patiently).toEqual(both);
    await later();
    clock.pass(3600);
    await later();

    await Promise.all([prometheus.kill(), alertmanager.kill()]);
    const next = await rack.alertmanager(queried);
    queried.target = post.target = next.url;
    for (const seconds of [0, 301, 61]) {
      clock.pass(seconds);
      await later();
    }
    expect((await lab.readyz()).body).toMatch(/"passing":\[{"what":"alertmanager"/);
    for (const seconds of [901, 61]) {
      clock.pass(seconds);
      await later();
    }

    expect(await firing()).toEqual(both);
    expect((await lab.client.status()).unseen).toMatch(
      /keep firing for up to 24 h: Alertmanager does not list Watchdog, which always fires/,
    );
    const { body } = await lab.readyz();
    expect(body).toContain('{"what":"alertmanager"');
    expect(body).not.toContain('"passing"');
    await rack.prometheus();
    await expect.poll(() => rack.listed(next.url), patiently).toBe(2);
    rack.exporter.set('missing', 0);
    await expect.poll(() => rack.listed(next.url), patiently).toBe(1);
    await later();
    clock.pass(840);
    await later();
    clock.pass(59);
    await later();
    expect(await firing()).toEqual(both);
    clock.pass(1);
    await later();
    clock.pass(61);

    await expect.poll(firing).toEqual({ Watchdog: true, MachineMissing: false });
    expect((await lab.client.status()).unseen).toBeUndefined();
  });

  it('while Prometheus does not reach this one of two', async () => {
    const rack = await startRack('1s');
    const { clock, queried, post, postToOther, firing, later } = rack;
    const [alertmanager, other] = await Promise.all([
      rack.alertmanager(queried),
      rack.alertmanager(),
    ]);
    queried.target = post.target = alertmanager.url;
    await rack.prometheus();
    await expect.poll(firing, patiently).toEqual(both);
    await later();
    clock.pass(3600);
    postToOther.target = other.url;
    await later();

    post.target = '';
    await expect.poll(() => rack.listed(alertmanager.url), patiently).toBe(0);
    for (const seconds of [0, 301, 61, 901, 61]) {
      clock.pass(seconds);
      await later();
    }

    await expect.poll(() => rack.listed(other.url)).toBe(2);
    expect(await firing()).toEqual(both);
  });
});
