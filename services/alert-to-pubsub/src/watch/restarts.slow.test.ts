/** An alert that fires all the time, while the real Prometheus and Alertmanager restart. */
import { lacks, peer } from '@skolo/simulators';
import type { Program } from '@skolo/simulators/prometheus';
import { describe, expect, it } from 'vitest';
import { startAlertmanagerProxy } from '../testing/alertmanager-proxy.ts';
import { type Exporter, startExporter } from '../testing/exporter.ts';
import { type Lab, startLab } from '../testing/lab.ts';
import {
  alertingAt,
  signedIn,
  startAlertmanager,
  startPrometheus,
  writeSecrets,
} from '../testing/rack-senders.ts';

type Part = 'prometheus' | 'alertmanager' | 'service';

interface Jumphost {
  lab: Lab;
  prometheus: Program;
  alertmanager: Program;
  thermometer: Exporter;
}

/** @param rule its expression and what follows */
async function startJumphost(rule: string): Promise<Jumphost> {
  const thermometer = await startExporter();
  thermometer.set('temperature', 90);
  const proxy = await startAlertmanagerProxy();
  const lab = await startLab({ settings: signedIn, alertmanager: proxy.url });
  await writeSecrets(lab);
  const alertmanager = await startAlertmanager(peer('alertmanager') ?? '', lab.url, (config) =>
    config.replaceAll(/repeat_interval: \S+/g, 'repeat_interval: 1s'),
  );
  proxy.target = alertmanager.url;
  const prometheus = await startPrometheus(peer('prometheus') ?? '', {
    rules: `{ alert: Hot, ${rule} }`,
    scrapes: thermometer.host,
    alerting: alertingAt(alertmanager),
    resend: '1s',
  });
  return { lab, prometheus, alertmanager, thermometer };
}

async function restart(jumphost: Jumphost, parts: readonly Part[]): Promise<Jumphost> {
  const { lab, prometheus, alertmanager } = jumphost;
  const programs = [
    ...(parts.includes('alertmanager') ? [alertmanager] : []),
    ...(parts.includes('prometheus') ? [prometheus] : []),
  ];
  for (const program of programs) await program.kill();
  if (parts.includes('service')) await lab.stop();
  for (const program of programs) await program.restart();
  if (!parts.includes('service')) return jumphost;
  const port = Number(new URL(lab.url).port);
  const options = { settings: signedIn, alertmanager: alertmanager.url };
  return { ...jumphost, lab: await startLab({ ...options, previous: lab, port }) };
}

async function known(lab: Lab) {
  return (await lab.alerts()).find(({ labels }) => labels.alertname === 'Hot');
}

/** When the alert of Alertmanager started, if it has one. */
async function startAt({ url }: Program): Promise<string | undefined> {
  const response = await fetch(`${url}/api/v2/alerts`);
  return JSON.parse(await response.text())[0]?.startsAt;
}

/** Waits until two more webhooks are received: the second one began later. */
async function untilRepeated(lab: Lab): Promise<void> {
  const count = async () => (await known(lab))?.count ?? 0;
  const enough = (await count()) + 2;
  await expect.poll(count).toBeGreaterThanOrEqual(enough);
}

const transitions = (lab: Lab) =>
  lab
    .arrived()
    .filter(({ kind }) => kind === 'transition')
    .map(({ attributes: { status, expired } }) => `${status}${expired ? ' expired' : ''}`);

describe.skipIf(lacks('prometheus', 'alertmanager'))('an alert that fires all the time', () => {
  const usual = "expr: 'temperature > 70'";
  const pending = `${usual}, for: 1s`;

  it.each<{ names: string; parts: Part[]; rule?: string }>([
    { names: 'Prometheus', parts: ['prometheus'] },
    { names: 'Alertmanager', parts: ['alertmanager'] },
    { names: 'Alertmanager and this service', parts: ['alertmanager', 'service'] },
    { names: 'Prometheus and Alertmanager', parts: ['prometheus', 'alertmanager'] },
    {
      names: 'both, and its rule has a `for`,',
      parts: ['prometheus', 'alertmanager'],
      rule: pending,
    },
    { names: 'all three', parts: ['prometheus', 'alertmanager', 'service'] },
  ])('stays one firing when $names restart', async ({ parts, rule = usual }) => {
    const before = await startJumphost(rule);
    await expect.poll(() => transitions(before.lab)).toEqual(['firing']);
    const start = (await startAt(before.alertmanager)) ?? '';
    const { startsAt } = (await known(before.lab)) ?? {};

    const { lab, alertmanager, thermometer } = await restart(before, parts);
    const isLater = parts.includes('alertmanager') && parts.includes('prometheus');
    await expect.poll(async () => (await startAt(alertmanager)) ?? '').not.toBe('');
    expect(((await startAt(alertmanager)) ?? '') > start).toBe(isLater);
    await untilRepeated(lab);

    expect((await known(lab))?.startsAt).toBe(startsAt);
    expect(transitions(lab)).toEqual(['firing']);
    thermometer.set('temperature', 50);
    await expect.poll(() => transitions(lab)).toEqual(['firing', 'resolved']);
    thermometer.set('temperature', 90);
    await expect.poll(() => transitions(lab)).toEqual(['firing', 'resolved', 'firing']);
  });
});
