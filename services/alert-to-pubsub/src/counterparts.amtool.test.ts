import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { listen, tempDir } from '@skolo/base/testing';
import { parseRack } from '@skolo/rack';
import { peer } from '@skolo/simulators';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { startLab } from './testing/lab.ts';
import { runProgram } from './testing/program.ts';
import {
  password,
  signedIn,
  startAlertmanager,
  token,
  writeSecrets,
} from './testing/rack-senders.ts';
import { yamlOfReadme } from './testing/readme.ts';

const [alertmanager, amtool, promtool] = [peer('alertmanager'), peer('amtool'), peer('promtool')];
const noAlertmanager = 'Alertmanager is not installed (Debian: prometheus-alertmanager)';
const noPrometheus = 'Prometheus is not installed (Debian: prometheus)';

const Gettable = z.array(
  z.object({ labels: z.record(z.string(), z.string()), fingerprint: z.string() }),
);
const Webhook = z.object({ alerts: Gettable });

/** As `NAME FINGERPRINT`. */
function fingerprints(alerts: z.output<typeof Gettable>): string[] {
  return alerts.map(({ labels, fingerprint }) => `${labels.alertname} ${fingerprint}`).sort();
}

/** Keeps what Alertmanager posts, each alert once: it repeats a message whose answer was late. */
async function startWebhook() {
  const alerts = new Map<string, z.output<typeof Gettable>[number]>();
  const server = createServer(async (request, response) => {
    const body: unknown = JSON.parse(Buffer.concat(await request.toArray()).toString());
    for (const alert of Webhook.parse(body).alerts) alerts.set(alert.fingerprint, alert);
    response.end();
  });
  const port = await listen(server);
  return { url: `http://127.0.0.1:${port}/`, alerts: () => [...alerts.values()] };
}

it('an identity is the one that Alertmanager computes', async ({ skip }) => {
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
  await expect.poll(async () => (await lab.alerts()).length).toBe(alerts.length);
  await expect.poll(() => theirs.alerts().length).toBe(alerts.length);
  const listed = Gettable.parse(await (await fetch(`${between.url}/api/v2/alerts`)).json());

  expect(fingerprints(theirs.alerts())).toEqual(fingerprints(listed));
  expect(fingerprints(await lab.alerts())).toEqual(fingerprints(listed));
  // And at the other endpoint, whose senders give no fingerprint.
  const authorization = `Bearer ${token}`;
  const direct = { method: 'POST', body, headers: { ...headers, authorization } };
  expect((await fetch(`${lab.url}/api/v2/alerts`, direct)).status).toBe(200);
  expect(fingerprints(await lab.alerts())).toEqual(fingerprints(listed));
});

async function tempFile(name: string, text: string): Promise<string> {
  const dir = await tempDir();
  await writeFile(join(dir, name), text, { mode: 0o600 });
  return join(dir, name);
}

it('amtool adds alerts that arrive', async ({ skip }) => {
  if (!amtool) return skip(noAlertmanager);
  const lab = await startLab({ settings: signedIn });
  await writeSecrets(lab);
  const client = `basic_auth: { username: alertmanager, password: ${password} }\n`;
  const file = await tempFile('client.yml', client);
  const add = (...args: string[]) =>
    runProgram(amtool, [
      `--alertmanager.url=${lab.url}`,
      ...[`--http.config.file=${file}`, 'alert', 'add', ...args],
    ]);

  const added = await add('Disk', 'severity=critical', '--annotation=text=full');
  await add('Heat', 'severity=warning');

  expect(added).toMatchObject({ status: 0, stdout: '' });
  await expect
    .poll(() => lab.arrived().map(({ attributes }) => attributes.alertname))
    .toEqual(['Disk', 'Heat']);
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

    expect(sinks).toMatchObject([{ kind: 'file' }, { template: 'ntfy', to: 'rack4' }]);
  });
});
