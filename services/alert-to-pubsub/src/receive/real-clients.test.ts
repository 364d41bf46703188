/** The endpoints, used by those that they are made for: Prometheus, Alertmanager and amtool, unchanged. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { peer } from '@skolo/simulators';
import { describe, expect, it } from 'vitest';
import { runProgram } from '../testing/program.ts';
import { full } from './rejection.ts';
import { startAlertmanager, startPrometheus } from './testing/real-senders.ts';
import { startReceivers } from './testing/receiver-lab.ts';

const amtool = peer('amtool');
const alertmanager = peer('alertmanager');
const prometheus = peer('prometheus');
const noAlertmanager = 'Alertmanager is not installed (Debian: prometheus-alertmanager)';
const noPrometheus = 'Prometheus is not installed (Debian: prometheus)';

describe('amtool', () => {
  it('adds an alert, and ends it', async ({ skip }) => {
    if (!amtool) return skip(noAlertmanager);
    const lab = await startReceivers();
    const add = (...args: string[]) =>
      runProgram(amtool, [`--alertmanager.url=${lab.url}`, 'alert', 'add', ...args]);

    const fired = await add('Disk', 'severity=critical', '--annotation=summary=full');
    const ended = await add('Disk', '--end=2026-11-20T07:59:00Z', '--start=2026-11-20T07:00:00Z');

    expect([fired, ended]).toMatchObject([
      { status: 0, stdout: '' },
      { status: 0, stdout: '' },
    ]);
    expect(lab.batches).toMatchObject([
      {
        endpoint: 'v2',
        alerts: [
          {
            labels: { alertname: 'Disk', severity: 'critical' },
            annotations: { summary: 'full' },
          },
        ],
        bad: [],
      },
      {
        alerts: [
          {
            startsAt: Date.parse('2026-11-20T07:00:00Z'),
            endsAt: Date.parse('2026-11-20T07:59:00Z'),
          },
        ],
      },
    ]);
    expect(lab.batches[0]?.alerts[0]).not.toHaveProperty('endsAt');
    expect(lab.received.map(({ firing, resolved }) => [firing, resolved])).toEqual([
      [1, 0],
      [0, 1],
    ]);
  });

  it('prints what is wrong with an alert', async ({ skip }) => {
    if (!amtool) return skip(noAlertmanager);
    const lab = await startReceivers();

    const args = ['Disk', '--start=2026-11-20T07:30:00Z', '--end=2026-11-20T07:00:00Z'];
    const ended = await runProgram(amtool, [
      `--alertmanager.url=${lab.url}`,
      ...['alert', 'add', ...args],
    ]);

    expect(ended.status).toBe(1);
    expect(ended.stderr).toContain('is after endsAt');
  });
});

describe('Alertmanager', () => {
  it('reports how many alerts it leaves out', async ({ skip }) => {
    if (!alertmanager || !amtool) return skip(noAlertmanager);
    const lab = await startReceivers();
    const url = await startAlertmanager(alertmanager, lab.url, {
      webhook: '        max_alerts: 2',
    });
    const alerts = Array.from({ length: 5 }, (_, i) => ({ labels: { alertname: `A${i}` } }));

    await fetch(`${url}/api/v2/alerts`, {
      method: 'POST',
      body: JSON.stringify(alerts),
      headers: { 'content-type': 'application/json' },
    });

    await expect.poll(() => lab.batches.at(-1)?.truncated).toBe(3);
    expect(lab.batches.at(-1)?.alerts).toHaveLength(2);
  });

  it('retries after 503', async ({ skip }) => {
    if (!alertmanager || !amtool) return skip(noAlertmanager);
    let tries = 0;
    const lab = await startReceivers({
      accept: async () => {
        tries += 1;
        if (tries <= 2) throw full('the spool is full');
      },
    });
    const url = await startAlertmanager(alertmanager, lab.url);

    await runProgram(amtool, [`--alertmanager.url=${url}`, 'alert', 'add', 'Disk']);

    await expect.poll(() => lab.batches.length).toBe(1);
    expect(lab.rejections.map(({ reason }) => reason)).toEqual(['full', 'full']);
  });
});

it.for(['v2', 'v1'])(
  'Prometheus posts firing and resolved alerts to %s',
  async (version, { skip }) => {
    if (!prometheus) return skip(noPrometheus);
    const settings = '{ auth: { bearer: { file: token } } }';
    const lab = await startReceivers({ settings, now: now() });
    await writeFile(join(lab.dir, 'token'), 'canary-2');
    const { end } = await startPrometheus(prometheus, lab.url, {
      alerting: `, api_version: ${version}, authorization: { credentials_file: token }`,
      files: { token: 'canary-2' },
    });
    const last = () => lab.batches.at(-1)?.alerts[0];

    await expect.poll(last).toBeDefined();
    const before = Date.now();
    await end();
    // Prometheus takes some seconds to begin with other rules.
    await expect.poll(() => Number(last()?.endsAt) <= Date.now()).toBe(true);

    const [first] = lab.batches;
    expect(first).toEqual({
      endpoint: version,
      alerts: [
        {
          labels: { alertname: 'Fires', severity: 'critical', cluster: 'rack4' },
          annotations: { summary: 'is 1' },
          startsAt: expect.any(Number),
          endsAt: expect.any(Number),
          generatorURL: expect.stringContaining('/graph?g0.expr=vector'),
        },
      ],
      bad: [],
      truncated: 0,
    });
    expect(first?.alerts[0]?.endsAt).toBeGreaterThan(before);
    expect(last()?.labels).toEqual(first?.alerts[0]?.labels);
    expect(lab.rejections).toEqual([]);
  },
);

function now(): string {
  return new Date().toISOString();
}
