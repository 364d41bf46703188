/** Outlets and cycles from the page down to a switch: a real browser, machine-state, power-cycle daemon, and a simulated switch. */

import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { tempDir } from '@skolo/base/testing';
import { lacks, peer, startEdgeSwitch } from '@skolo/simulators';
import { chromium } from 'playwright-core';
import { expect, it, onTestFinished } from 'vitest';
import { operatorToken, startService } from './service-process.ts';

const build = fileURLToPath(new URL('../../../packages/console/pages/build.ts', import.meta.url));
const nowhere = 'http://127.0.0.1:2';

it.skipIf(lacks('chromium'))(
  'the page turns an outlet off and on, and cycles a machine, which is all in the audit view',
  async () => {
    await promisify(execFile)(process.execPath, [build]);
    const dir = await tempDir();
    const file = (name: string) => join(dir, name);
    await writeFile(file('password'), 'canary-switch', { mode: 0o600 });
    const token = await operatorToken(dir);
    await writeFile(file('services-token'), token, { mode: 0o600 });
    const account = { username: 'ubnt', password: 'canary-switch' };
    const { board, port, close } = await startEdgeSwitch({
      ...account,
      host: '127.0.2.2',
      ports: 8,
    });
    onTestFinished(close);
    const flags = (name: string) => ['--rack', file('rack.yaml'), '--state-dir', file(name)];
    await writeFile(file('rack.yaml'), rackYaml(port, nowhere));
    const power = await startService('power-cycle-daemon', flags('power'));
    await writeFile(file('rack.yaml'), rackYaml(port, power.url));
    const { url } = await startService('machine-state', flags('state'));
    const browser = await chromium.launchPersistentContext(file('profile'), {
      executablePath: peer('chromium') ?? '',
      args: ['--headless', '--no-sandbox', '--disable-gpu'],
    });
    onTestFinished(() => browser.close());
    const page = await browser.newPage();
    page.setDefaultTimeout(900_000);
    await page.goto(`${url}/#/power`);
    await page.getByLabel('Token for this rack').fill(token);
    await page.getByRole('button', { name: 'Sign in' }).click();
    const dialog = page.getByRole('dialog');
    const confirm = async (button: string, reason: string) => {
      await dialog.getByRole('textbox', { name: 'Reason' }).fill(reason);
      await dialog.getByRole('button', { name: button }).click();
    };

    await page.getByRole('row', { name: /switch-1\/2 rpi-2 on/ }).waitFor();
    await page.getByRole('button', { name: 'Turn off switch-1/2' }).click();
    await dialog.getByText('Will lose power: rpi-2.').waitFor();
    await confirm('Turn off', 'smells burnt');
    await expect.poll(() => board.isOn('2')).toBe(false);
    await page.getByText('turned off by ann').waitFor();
    // Only then is the request over.
    await page.getByText('power off by ann: smells burnt; off: rpi-2').waitFor();
    await page.getByRole('button', { name: 'Turn on switch-1/2' }).click();
    await confirm('Turn on', 'new hat');
    await expect.poll(() => board.isOn('2')).toBe(true);

    const seen: string[] = [];
    board.on('change', ({ outlet, on }) => seen.push(`${outlet} ${on ? 'on' : 'off'}`));
    await page.goto(`${url}/#/machine/rpi-1`);
    await page.getByRole('button', { name: 'Power cycle' }).click();
    await confirm('Power cycle', 'it hangs');
    await expect.poll(() => seen).toContain('1 off');
    await page.goto(`${url}/#/power`);
    // The dialog closes by itself once the request is over, or stays: a page that is loaded again has none.
    await page.reload();
    // Each step arrives by itself.
    await page.getByRole('row', { name: /rpi-1 .*it hangs/ }).waitFor();
    await expect.poll(() => seen).toEqual(['1 off', '1 on']);
    const row = page.locator('tr', { hasText: 'it hangs' });
    await row.locator('summary', { hasText: 'steps' }).click();
    await row.getByText('turn-on').first().waitFor();

    await page.goto(`${url}/#/audit?text=smells`);
    await page
      .getByRole('row', { name: /ann operate .*turn off .*smells burnt accepted/ })
      .waitFor();
    // On every page, until it is read.
    const strip = page.getByRole('region', { name: 'Power cycles' });
    await strip.getByText(/power cycle by ann: it hangs; (on|running|failed): rpi-1/).waitFor();
  },
);

function rackYaml(port: number, power: string): string {
  const others = ['metadata-server', 'router-backup', 'alert-to-pubsub'];
  const places = others.map((name) => `  ${name}: { url: "${nowhere}", metricsUrl: "${nowhere}" }`);
  const machine = (n: number) =>
    `  rpi-${n}: { kind: rpi, address: 127.0.1.${n}, power: switch-1/${n}, uplink: switch-1/${n}, swarming: { url: "${nowhere}" } }`;
  return `rack: rack4
network: { subnet: 127.0.0.0/8 }
jumphost: { name: jumphost-rack4, address: 127.0.0.1 }
access: { tokens: { file: tokens.yaml } }
logins: { switches: { username: ubnt, password: password } }
equipment:
  switch-1: { model: edgeswitch, portCount: 8, address: 127.0.2.2, ports: { ssh: ${port} }, login: switches, backup: false }
machines:
${machine(1)}
${machine(2)}
services:
${places.join('\n')}
  power-cycle-daemon: { url: "${power}", offSeconds: 1 }
  machine-state: { alertmanager: none, servicesToken: services-token }
`;
}
