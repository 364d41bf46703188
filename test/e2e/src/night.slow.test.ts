/**
 * A night on call, with real services, a real browser and the real command: each question of the person on call has its number of clicks or
 * commands. Machines, switches and the PDU are simulated.
 */

import { mkdir, rm, statfs, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { agentPublicKey, newAgentKey } from '@skolo/base/secrets';
import { mountSmall, run, tempDir } from '@skolo/base/testing';
import type { ServiceProcess } from '@skolo/common/testing/own-process';
import { buildPages } from '@skolo/console/build';
import { openBrowser, signIn } from '@skolo/console/testing';
import {
  lacks,
  peer,
  type SimulatedMachine,
  startApcRpdu,
  startEdgeSwitch,
  startGooglePubSub,
  startSimulatedMachine,
} from '@skolo/simulators';
import type { Page } from 'playwright-core';
import { expect, it, onTestFinished, type TestContext } from 'vitest';
import { startGoogle } from './google.ts';
import { operatorToken, startService } from './service-process.ts';

const account = { username: 'ubnt', password: 'canary-switch' };
const perSwitch = 16;
const nowhere = 'http://127.0.0.1:9';
const topic = 'projects/my-project/topics/prometheus-alerts';
const cli = fileURLToPath(new URL('../../../packages/cli/src/main.ts', import.meta.url));

it.skipIf(lacks('chromium'))(
  'a night on call: what, since when, who, act, did it work, handover',
  async (context) => {
    const rack = await startRack(context);
    const { page, machines } = rack;
    const attention = page.getByLabel('Needs attention');
    const seen = async (text: RegExp) => {
      await attention.getByText(text).first().waitFor();
    };
    const well = page.locator('.tile.c-ok');
    await expect.poll(() => well.count()).toBe(machines.length);

    // What, since when, cause: 0 clicks.
    const silent = machines.slice(0, 12);
    for (const machine of silent) await machine.misbehave('dead');
    await seen(/12 silent/);
    await attention.getByText('why', { exact: true }).click();
    await seen(/12 of 16 machines .*switch-1 are silent, 0 of 16 others/);

    // On it: 1 click, and everybody sees it.
    const card = page.locator('.card', { hasText: '12 of 16' });
    await card.getByRole('button', { name: 'I am on it' }).click();
    await card.getByText(/ann is on it until/).waitFor();
    expect(await rack.skolo('timeline', '--since', '1h')).toMatch(/ann.*on it/);
    expect(await rack.skolo('machine', 'list', '--needs-attention')).toMatch(/ann is on it/i);
    expect(await rack.skolo('status')).toMatch(/ann is on it: 12 machines/);
    // The same line in console and commands.
    const line = /12 machines are silent: switch-1; 0 wait for a person/;
    await seen(line);
    expect(await rack.skolo('status')).toMatch(line);
    expect(await rack.skolo('machine', 'list')).toMatch(line);
    expect(await rack.skolo('audit')).toMatch(/ann +hold +rpi-\[1-12\] +done +on it: switch-1/);
    // New tasks start: nothing is out of service.
    expect(await rack.held()).toEqual({});

    // Act: 4 clicks and keys, and a reason.
    await card.getByRole('link', { name: '12 machines' }).click();
    await page.locator('.shelves [data-machine]').first().focus();
    await page.keyboard.press('a');
    await page
      .getByRole('region', { name: 'Selection' })
      .getByRole('button', { name: 'Power cycle' })
      .click();
    const dialog = page.getByRole('dialog');
    await dialog.getByRole('textbox', { name: 'Reason' }).fill('12 are silent');
    await dialog.getByLabel(/^This affects more/).fill('12');
    // The session, and what was typed, survive a service that is killed meanwhile.
    await rack.restart('SIGKILL');
    await page.getByText(/^Connection lost/).waitFor({ state: 'detached' });
    await dialog.getByRole('button', { name: 'Power cycle' }).click();
    await dialog.waitFor({ state: 'detached' });

    // Did it work: 0 clicks, on every page.
    await page.getByText(/^power cycle by ann: 12 are silent; 12 back: .* \(12\)/).waitFor();

    // Who came back: 1 click, and 1 command.
    await page.goto(`${rack.url}/#/incident/last`);
    await page.getByText(/^12 of 12 came back; .*on it: ann/).waitFor();
    const incident = await rack.skolo('timeline', '--incident', 'last');
    expect(incident).toMatch(/12 of 12 came back/);
    expect(incident).toMatch(/power cycle by ann/);

    // A service that hangs is noticed within 15 s, and the page works again by itself.
    const { child } = rack.machineState();
    child.kill('SIGSTOP');
    await page.getByText(/^Connection lost/).waitFor();
    child.kill('SIGCONT');
    await page.getByText(/^Connection lost/).waitFor({ state: 'detached' });

    // The rest of the night: a switch, a PDU, the disk, the internet connection. 0 clicks each.
    await page.goto(`${rack.url}/#/rack`);
    await rack.pullSwitch();
    await seen(/switch-2/);
    await rack.pullPdu();
    await seen(/pdu-1/);
    // For a person with a torch: 1 command.
    expect(await rack.skolo('machine', 'list', '--not-back')).toMatch(
      /16 did not.*rpi-17, place 17: .*switch-2 is down/s,
    );
    expect(await rack.skolo('status')).toMatch(/critical/);
    await rack.cutInternet();
    await seen(/^sink pubsub: .*UNAVAILABLE/);
    const empty = await rack.fillDisk();
    await seen(/^the disk is full: machine-state/);
    expect(await rack.skolo('status')).toMatch(/the disk is full: machine-state/);
    await empty();

    // Handover: 1 command.
    const told = await rack.skolo('timeline', '--since', '1h');
    for (const line of [
      /12 .*silent|silent.*12/,
      /ann.*power cycle|power cycle.*ann/i,
      /switch-2/,
    ]) {
      expect(told).toMatch(line);
    }
    expect(told.split('\n').filter((line) => line.length > 80)).toEqual([]);
  },
);

async function startRack(context: TestContext) {
  await buildPages();
  const dir = await tempDir();
  const file = (name: string) => join(dir, name);
  await writeFile(file('password'), account.password, { mode: 0o600 });
  await writeFile(file('community'), 'community', { mode: 0o600 });
  const token = await operatorToken(dir);
  await writeFile(file('token'), token, { mode: 0o600 });
  const key = newAgentKey();
  await writeFile(file('agent-key'), key.reveal(), { mode: 0o600 });
  const google = await startGoogle('bots', file('bots.json'));
  const pubsub = await startGooglePubSub({ topics: [topic] });
  onTestFinished(() => pubsub.close());
  const switches = await Promise.all(
    ['127.0.2.2', '127.0.2.3'].map((host) => startEdgeSwitch({ ...account, host, ports: 16 })),
  );
  const pdu = await startApcRpdu({ host: '127.0.2.4', outlets: 8, writeCommunity: 'community' });
  const pulled = new Set<object>();
  const pull = async (device: { close(): Promise<void> }) => {
    if (pulled.has(device)) return;
    pulled.add(device);
    await device.close();
  };
  for (const device of [...switches, pdu]) onTestFinished(() => pull(device));
  const machines: SimulatedMachine[] = [];
  for (const [at, device] of switches.entries()) {
    for (let port = 1; port <= perSwitch; port += 1) {
      const machine = await startSimulatedMachine({
        ...account,
        name: `rpi-${at * perSwitch + port}`,
        host: `127.0.${at + 3}.${port}`,
        feeds: [[device.board, String(port)]],
        agentKey: agentPublicKey(key),
      });
      onTestFinished(() => machine.close());
      machines.push(machine);
    }
  }

  const urls: Urls = {};
  const writeRack = () => {
    const ports = { switches: switches.map(({ port }) => port), pdu: pdu.port };
    const about = { ports, agentKey: agentPublicKey(key), pubsub: pubsub.endpoint };
    return writeFile(file('rack.yaml'), rackYaml(machines, about, urls));
  };
  async function start(name: string, flags: string[] = []): Promise<ServiceProcess> {
    await writeRack();
    const own = ['--rack', file('rack.yaml'), '--state-dir', file(name)];
    const service = await startService(name, [...own, ...flags]);
    urls[name] = service;
    await writeRack();
    return service;
  }
  for (const name of [
    'metadata-server',
    'power-cycle-daemon',
    'router-backup',
    'alert-to-pubsub',
  ]) {
    await start(name);
  }
  await mkdir(file('machine-state'));
  await mountSmall(context, file('machine-state'), 'size=64m');
  let state = await start('machine-state');
  const { url } = state;
  const page = await signedIn(url, token);
  onTestFinished(async ({ task }) => {
    if (task.result?.state === 'fail') console.log(await page.locator('body').innerText());
  });
  return {
    url,
    page,
    machines,
    machineState: () => state,
    async restart(signal: NodeJS.Signals) {
      await state.end(signal);
      state = await start('machine-state', ['--port', new URL(url).port]);
    },
    pullSwitch: async () => {
      for (const machine of machines.slice(perSwitch)) await machine.misbehave('dead');
      await pull(switches[1] ?? pdu);
    },
    pullPdu: () => pull(pdu),
    async cutInternet() {
      await google.close();
      await pubsub.stop();
    },
    async fillDisk() {
      const { bavail, bsize } = await statfs(file('machine-state'));
      const filling = join(file('machine-state'), 'filling');
      await writeFile(filling, Buffer.alloc(bavail * bsize + 1)).catch(() => undefined);
      return () => rm(filling, { force: true });
    },
    async held(): Promise<object> {
      const { metricsUrl } = urls['power-cycle-daemon'] ?? {};
      const text = await (await fetch(`${metricsUrl}/metrics`)).text();
      const held = text.matchAll(/^skolo_power_machines_held\{by="([^"]+)"\} (\d+)$/gm);
      return Object.fromEntries([...held].map(([, by, machines]) => [by, machines]));
    },
    async skolo(...args: string[]): Promise<string> {
      const where = ['--rack', file('rack.yaml'), '--token-file', file('token')];
      const { stdout } = await run(process.execPath, [cli, ...args, ...where]).catch(
        (error: { stdout: string; stderr: string }) => ({ stdout: error.stdout + error.stderr }),
      );
      return stdout;
    },
  };
}

async function signedIn(url: string, token: string): Promise<Page> {
  const browser = await openBrowser(peer('chromium') ?? '');
  onTestFinished(() => browser.close());
  const page = await signIn(browser, url, token);
  return page;
}

type Urls = Record<string, Pick<ServiceProcess, 'url' | 'metricsUrl'>>;

function rackYaml(
  machines: readonly SimulatedMachine[],
  about: {
    ports: { switches: readonly number[]; pdu: number };
    agentKey: string;
    pubsub: string;
  },
  urls: Readonly<Urls>,
): string {
  const { ports, agentKey, pubsub } = about;
  const at = (name: string) => {
    const { url, metricsUrl } = urls[name] ?? { url: nowhere, metricsUrl: nowhere };
    return `url: "${url}", metricsUrl: "${metricsUrl}"`;
  };
  const entries = machines.map(({ name, host, sshPort, agentUrl }, i) => {
    const port = `switch-${Math.floor(i / perSwitch) + 1}/${(i % perSwitch) + 1}`;
    return `  ${name}: { kind: rpi, address: ${host}, port: ${sshPort}, power: ${port}, uplink: ${port}, identity: bots, swarming: { url: "${agentUrl}" } }\n`;
  });
  const switches = ports.switches.map(
    (ssh, i) =>
      `  switch-${i + 1}: { model: edgeswitch, portCount: 16, address: 127.0.2.${i + 2}, ports: { ssh: ${ssh} }, login: any, power: pdu-1/${i + 1}, backup: false }\n`,
  );
  return `rack: rack4
network: { subnet: 127.0.0.0/8 }
jumphost: { name: jumphost-rack4, address: 127.0.0.1 }
access:
  tokens: { file: tokens.yaml }
  anonymousRead: [127.0.0.0/8]
  agents: { privateKey: agent-key, publicKey: ${agentKey} }
identities:
  bots: { project: my-project, scopes: [https://www.googleapis.com/auth/userinfo.email], credentials: { serviceAccountKey: bots.json } }
logins:
  any: { username: ubnt, password: password, snmp: { version: 2, community: community } }
equipment:
${switches.join('')}  pdu-1: { model: apc-rpdu, outlets: 8, address: 127.0.2.4, ports: { snmp: ${ports.pdu} }, login: any, backup: false }
machines:
${entries.join('')}services:
  metadata-server: { ${at('metadata-server')} }
  power-cycle-daemon: { ${at('power-cycle-daemon')} }
  router-backup: { ${at('router-backup')} }
  machine-state: { ${at('machine-state')}, alertmanager: none }
  alert-to-pubsub: { ${at('alert-to-pubsub')}, project: my-project, topic: prometheus-alerts, endpoint: "${pubsub}" }
`;
}
