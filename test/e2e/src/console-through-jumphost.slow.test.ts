/** `skolo console RACK`: through the jumphost, by real ssh, machine-state and a browser. */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type IncomingMessage, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { createClient, machineStateApi } from '@skolo/api';
import { tempDir, untilTestEnds } from '@skolo/base/testing';
import { startWorkstation } from '@skolo/fleet/testing';
import { lacks, peer } from '@skolo/simulators';
import { chromium } from 'playwright-core';
import { expect, it, onTestFinished } from 'vitest';
import { skolo } from './jumphost-workstation.ts';
import { operatorToken, startService } from './service-process.ts';

const noPeers = lacks('sshd', 'ssh');
const noBrowser = noPeers ?? lacks('chromium');
const json = { 'content-type': 'application/json' };

it.skipIf(noPeers)('signs in to the rack with its token, which the page never gets', async () => {
  const { link, token, printed, direct } = await openConsole();
  const { host, hash } = new URL(link);
  const code = new URLSearchParams(hash.split('?')[1]).get('code');
  const ask = (path: string, init?: Asked) => askAt(host, path, init);

  expect(await ask('/')).toMatchObject({ status: 200 });
  expect(await ask('/v1/machines')).toMatchObject({ status: 401 });
  expect(await askAt(host, '/', { headers: { host: 'localhost' } })).toMatchObject({ status: 403 });
  const signIn = { method: 'POST', headers: json, body: JSON.stringify({ code }) };
  const { headers, body } = await ask('/v1/session', signIn);
  expect(JSON.parse(body)).toMatchObject({ name: 'ann' });
  expect(headers['set-cookie']?.[0]).toMatch(/; HttpOnly; SameSite=Strict$/);
  expect(await ask('/v1/session', signIn)).toMatchObject({ status: 401 });
  const cookie = headers['set-cookie']?.[0]?.split(';')[0] ?? '';
  const own = { cookie, 'sec-fetch-site': 'same-origin' };

  const note = {
    method: 'POST',
    headers: { ...json, ...own },
    body: JSON.stringify({ machines: ['rpi-1'], text: 'seen' }),
  };
  expect(await ask('/v1/notes', note)).toMatchObject({ status: 201 });
  const foreign = { ...note, headers: { ...note.headers, 'sec-fetch-site': 'cross-site' } };
  expect(await ask('/v1/notes', foreign)).toMatchObject({ status: 403 });
  expect(await direct.history({ params: { name: 'rpi-1' }, query: {} })).toMatchObject({
    entries: expect.arrayContaining([expect.objectContaining({ kind: 'note', by: 'ann' })]),
  });
  expect([link, printed(), body].join()).not.toContain(token);
});

it.skipIf(noBrowser)('in a browser: is signed in, and stays connected', async () => {
  const { link, direct, relay } = await openConsole();
  const { page, complaints } = await openPage(link);

  await page.locator('[data-machine="rpi-1"]').click();
  expect(page.url()).not.toContain('code');
  // A change arrives through the tunnel, and again after it was cut.
  for (const reason of ['a new fan', 'another fan']) {
    const body = { machines: ['rpi-1'], kind: 'quarantine' as const, reason, count: 1 };
    await direct.order({ body });
    await page.getByText(reason).first().waitFor();
    expect(relay.cut()).toBeGreaterThan(0);
  }

  // The browser notes each request that breaks with the connection.
  const expected = /Failed to load resource|ERR_INCOMPLETE_CHUNKED/;
  expect(complaints.filter((each) => !expected.test(each))).toEqual([]);
});

async function openPage(link: string) {
  const profile = await mkdtemp(join(tmpdir(), 'skolo-chromium-'));
  const browser = await chromium.launchPersistentContext(profile, {
    executablePath: peer('chromium') ?? '',
    args: ['--headless', '--no-sandbox', '--disable-gpu'],
  });
  onTestFinished(async () => {
    await browser.close();
    await rm(profile, { recursive: true, force: true });
  });
  const complaints: string[] = [];
  browser.on('console', (message) => {
    if (message.type() === 'error') complaints.push(message.text());
  });
  browser.on('weberror', (error) => complaints.push(error.error().message));
  browser.setDefaultTimeout(900_000);
  const page = await browser.newPage();
  await page.goto(link);
  return { page, complaints };
}

async function openConsole() {
  const workstation = untilTestEnds(await startWorkstation());
  const dir = await tempDir();
  const token = await operatorToken(dir);
  await writeFile(join(dir, 'rack.yaml'), rackYaml('http://127.0.0.1:2'));
  const flags = ['--rack', join(dir, 'rack.yaml'), '--state-dir', join(dir, 'state')];
  const { url } = await startService('machine-state', flags);
  await writeFile(join(workstation.rack.overlay, 'rack.yaml'), rackYaml(url));
  const tokens = join(workstation.env.HOME ?? '', '.config/skolo/tokens');
  await mkdir(tokens, { recursive: true });
  await writeFile(join(tokens, 'rack4'), `${token}\n`, { mode: 0o600 });
  const args = [skolo, 'console', 'rack4', '--no-open', '--clusters', workstation.clusters];
  const child = spawn(process.execPath, args, { env: workstation.env });
  const printed = collect(child);
  const ended = once(child, 'close');
  onTestFinished(async () => {
    child.kill('SIGTERM');
    await ended;
    expect(await workstation.left()).toEqual([]);
  });
  await expect.poll(printed).toContain('the page is available until you press Ctrl-C');
  const [link = ''] = /http:\/\/\S+/.exec(printed()) ?? [];
  const direct = createClient(machineStateApi, { baseUrl: url, token });
  return { link, token, printed, direct, relay: workstation.jumphost.relay };
}

function collect(child: ChildProcess): () => string {
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (data: Buffer) => {
      said += data;
    });
  }
  return () => said;
}

interface Asked {
  method?: string;
  headers?: Record<string, string>;
  body?: string;
}

/** As a browser does, which finds every name below localhost. */
async function askAt(host: string, path: string, { body, headers, ...init }: Asked = {}) {
  const port = Number(host.split(':')[1]);
  const asked = request({
    host: '127.0.0.1',
    port,
    path,
    ...init,
    headers: { host, ...headers },
  });
  asked.end(body);
  const [answer]: IncomingMessage[] = await once(asked, 'response');
  if (answer === undefined) throw new Error('no answer');
  return { status: answer.statusCode, headers: answer.headers, body: await text(answer) };
}

function rackYaml(url: string): string {
  const services = ['metadata-server', 'power-cycle-daemon', 'router-backup', 'alert-to-pubsub'];
  const nowhere = services.map(
    (name) => `  ${name}: { url: "http://127.0.0.1:2", metricsUrl: "http://127.0.0.1:2" }\n`,
  );
  return `rack: rack4
network: { subnet: 127.0.0.0/8 }
jumphost: { name: jumphost-rack4, address: 127.0.0.1 }
access: { tokens: { file: tokens.yaml } }
machines:
  rpi-[1-2]: { kind: rpi, address: '127.0.1.[1-2]', swarming: { url: "http://127.0.0.1:2" } }
services:
${nowhere.join('')}  machine-state: { url: "${url}", alertmanager: none }
`;
}
