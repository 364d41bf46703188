/** Whether alerts are delivered, in the four places that show it: two pages of the console, the command, and the metric. */
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { listen, tempDir } from '@skolo/base/testing';
import { lacks, peer } from '@skolo/simulators';
import { chromium } from 'playwright-core';
import { expect, it, onTestFinished } from 'vitest';
import { runCommand } from '../../../packages/cli/src/testing/run-command.ts';
import { startService } from './service-process.ts';

const build = fileURLToPath(new URL('../../../packages/console/pages/build.ts', import.meta.url));
const run = promisify(execFile);
const nowhere = 'http://127.0.0.1:2';

it.skipIf(lacks('chromium'))('pages, command and metric use the same words', async () => {
  await run(process.execPath, [build]);
  let status = 200;
  const receiver = createServer((request, response) => {
    request.resume();
    response.writeHead(status).end();
  });
  const sink = `http://127.0.0.1:${await listen(receiver)}`;
  const dir = await tempDir();
  const file = join(dir, 'rack.yaml');
  const edit = (alerts: string, withinSeconds = 86_400) =>
    writeFile(file, rackYaml({ alerts, sink, withinSeconds }));
  const flags = (name: string) => ['--rack', file, '--state-dir', join(dir, name)];
  await edit(nowhere);
  const alerts = await startService('alert-to-pubsub', flags('alerts'));
  await edit(alerts.url);
  const { url } = await startService('machine-state', flags('state'));
  const browser = await chromium.launchPersistentContext(join(dir, 'profile'), {
    executablePath: peer('chromium') ?? '',
    args: ['--headless', '--no-sandbox', '--disable-gpu'],
  });
  onTestFinished(() => browser.close());
  browser.setDefaultTimeout(900_000);
  const [firstPage, alertsPage] = [await browser.newPage(), await browser.newPage()];
  await firstPage.goto(`${url}/#/rack`);
  await alertsPage.goto(`${url}/#/alerts`);

  const onFirstPage = async () =>
    (await firstPage.getByLabel('Needs attention').locator('.sentence b').allTextContents())
      .flatMap((text) => /^Alerts (.*)/.exec(text)?.[1] ?? [])
      .join();
  const onAlertsPage = async () =>
    /^Alerts ([^:]*)/.exec((await alertsPage.locator('p.card').first().textContent()) ?? '')?.[1];
  const printed = async () => {
    const { out, exitCode } = await runCommand(['alerts', 'status', '--rack', file]);
    return [/^rack4: alerts ([^:\n]*)/.exec(out)?.[1], exitCode];
  };
  const exported = async () => {
    const metrics = await (await fetch(`${alerts.metricsUrl}/metrics`)).text();
    return /^skolo_alerts_delivery\{state="(.*)"\} 1$/m.exec(metrics)?.[1];
  };
  async function shown(state: string, code: number) {
    await expect.poll(exported).toBe(state);
    await expect.poll(onAlertsPage).toBe(state);
    await expect.poll(onFirstPage).toBe(state === 'delivered' ? '' : state);
    expect(await printed()).toEqual([state, code]);
  }
  const post = (alertname: string) =>
    fetch(`${alerts.url}/api/v2/alerts`, {
      method: 'POST',
      body: JSON.stringify([{ labels: { alertname } }]),
    });

  await shown('not confirmed', 0);
  await post('Hot');
  await shown('delivered', 0);
  status = 503;
  await post('Cold');
  await shown('failing', 1);
  status = 200;
  await edit(alerts.url, 10);
  await shown('silent', 1);
});

function rackYaml({ alerts, sink, withinSeconds }: Record<string, string | number>): string {
  const others = ['metadata-server', 'router-backup', 'power-cycle-daemon'];
  const places = others.map((name) => `  ${name}: { url: "${nowhere}", metricsUrl: "${nowhere}" }`);
  return `rack: rack4
network: { subnet: 127.0.0.0/8 }
alertmanager: none
jumphost: { name: jumphost-rack4, address: 127.0.0.1 }
access: { anonymousRead: [127.0.0.0/8] }
services:
${places.join('\n')}
  alert-to-pubsub:
    url: "${alerts}"
    metricsUrl: "${nowhere}"
    watchdog: { withinSeconds: ${withinSeconds} }
    sinks: [{ name: pagers, kind: http, url: "${sink}" }]
`;
}
