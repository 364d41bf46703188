import { chmod, mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { listen, needs, run } from '@skolo/base/testing';
import { type DeviceFault, makeSshKey } from '@skolo/simulators';
import { expect, it, onTestFinished, vi } from 'vitest';
import { account, type CanaryRack, enablePassword, startDevices } from './testing/canary-rack.ts';
import { type Lab, startIdleLab } from './testing/lab.ts';
import { allIn } from './testing/look-through.ts';

/** Made by age-keygen for this test alone. */
const recipient = 'age1sml852a9e9qjcm5eq2tsyh5yfu330uqhn7q5ap29wj6vldg9p5lqjnstcn';
const tokens = { webhook: 'canary-webhook-41b', power: 'canary-power-9c2' };
const gitKey = makeSshKey('ed25519').private;

/** All answers, messages and files, by name. */
type Seen = Map<string, string>;

/** What must be nowhere, by what it is. */
function secretsOf({ devices }: CanaryRack, lab: Lab): Map<string, RegExp> {
  const secrets = new Map([['a canary', /canary/i]]);
  const lineOf = (key: string) => key.split('\n')[3] ?? '';
  const plain = (text: string) => new RegExp(text.replace(/[+/.$]/g, '\\$&'));
  secrets.set('the key for git', plain(lineOf(gitKey)));
  for (const [name, { login }] of devices) {
    if (login) secrets.set(`the key of ${name}`, plain(lineOf(login.privateKey)));
  }
  secrets.set('a token', plain(`${lab.adminToken}|${lab.operatorToken}`));
  return secrets;
}

/** A receiver that repeats what it is sent, first of all as an error. */
async function startReceiver() {
  const bodies: string[] = [];
  const authorized: string[] = [];
  const port = await listen(
    createServer((request, response) => {
      let body = '';
      request.setEncoding('utf8').on('data', (text: string) => {
        body += text;
      });
      request.on('end', () => {
        bodies.push(body);
        authorized.push(request.headers.authorization ?? '');
        response.writeHead(bodies.length % 5 === 1 ? 401 : 200);
        response.end(JSON.stringify(request.headers));
      });
    }),
  );
  return { port, bodies, authorized };
}

/** Programs in front of the real ones, that put down how they were called, and with what around them. */
async function recordPrograms(dir: string, names: readonly string[]): Promise<string> {
  needs('ssh');
  const folder = join(dir, 'programs');
  const calls = join(dir, 'calls');
  await mkdir(folder);
  for (const name of names) {
    const { stdout } = await run('sh', ['-c', `command -v ${name}`]);
    const script = `#!/bin/sh\n{ printf '%s\\n' "${name}" "$@"; export -p; } >> '${calls}'\nexec ${stdout.trim()} "$@"\n`;
    await writeFile(join(folder, name), script);
    await chmod(join(folder, name), 0o755);
  }
  vi.stubEnv('PATH', `${folder}:${process.env.PATH}`);
  onTestFinished(() => void vi.unstubAllEnvs());
  return calls;
}

function yamlOf({ devices }: CanaryRack): string {
  const logins = [...devices].map(([name, { login }]) =>
    login
      ? `  ${name}: { username: ${login.username}, privateKey: key-${name} }`
      : `  ${name}: { username: ${account.username}, password: password, enablePassword: enable }`,
  );
  const entries = [...devices].map(
    ([name, { port, entry }]) =>
      `  ${name}: { ${entry}, address: 127.0.0.1, ports: { ssh: ${port} }, login: ${name} }`,
  );
  return `logins:\n${logins.join('\n')}\nequipment:\n${entries.join('\n')}\n`;
}

/** What an operator may ask for of a device. */
const ofDevice = [
  ...['', '/transcript', '/diff', '/diff?secrets=true', '/versions', '/versions/latest/restore'],
  ...['/versions/latest/content', '/versions/latest/content?secrets=true'],
];
/** Of that, what a backup that goes wrong may have put something into. */
const ofFailure = ofDevice.slice(0, 3);

async function ask(
  lab: Lab,
  names: Iterable<string>,
  seen: Seen,
  when: string,
  paths = ofDevice,
): Promise<void> {
  const get = async (path: string) => {
    const headers = { authorization: `Bearer ${lab.operatorToken}` };
    const response = await fetch(`${lab.url}${path}`, { headers });
    seen.set(`${when}: GET ${path}`, await response.text());
  };
  for (const path of ['/v1/backups', '/v1/equipment', '/v1/host-keys']) await get(path);
  for (const name of names) {
    for (const path of paths) await get(`/v1/equipment/${name}${path}`);
  }
  seen.set(`${when}: metrics`, await lab.metrics());
  seen.set(`${when}: readyz`, await lab.degraded());
}

async function post(lab: Lab, path: string, body: object, seen: Seen, when: string) {
  const response = await fetch(`${lab.url}${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${lab.adminToken}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  const text = await response.text();
  seen.set(`${when}: POST ${path}`, text);
  return JSON.parse(text) as { running?: string };
}

/** Back to the first version, as far as the model can. */
async function restore(lab: Lab, name: string, seen: Seen, when: string): Promise<void> {
  const { versions } = await lab.admin.versions({ params: { equipment: name }, query: {} });
  const version = `/v1/equipment/${name}/versions/${versions.at(-1)?.id}`;
  const { running = '' } = await post(lab, `${version}/check`, {}, seen, when);
  await post(lab, `${version}/restore`, { running, reason: 'trying it' }, seen, when);
}

const faults: readonly DeviceFault[] = [
  'drops-mid-configuration',
  'rejects-login',
  'error-text',
  'password-twice',
  'log-lines-between',
  'drops-mid-way',
  'cut-short',
  'garbled',
];

async function everythingGoesWrong(lab: Lab, rack: CanaryRack, seen: Seen): Promise<void> {
  const { frr, linux, devices } = rack;
  for (const [index, fault] of faults.entries()) {
    rack.setFault(fault);
    await frr?.setFault((['cut', 'rejected', 'hangs', 'empty'] as const)[index % 4]);
    const words = `echo 'tar: $6$canary$hash is not password canary' >&2`;
    const deaths = [`${words}; exit 2`, 'PATH=$REAL tar "$@" | head -c 3000; kill -9 $SSHD'];
    await linux?.program('tar', deaths[index % 2] ?? '');
    await lab.run();
    await ask(lab, devices.keys(), seen, fault, ofFailure);
  }
  rack.setFault(undefined);
  await frr?.setFault(undefined);
  await linux?.program('tar', 'PATH=$REAL exec tar "$@"');
}

it('are in no transcript, message, log or answer', async () => {
  const rack = await startDevices();
  const { devices } = rack;
  const receiver = await startReceiver();
  const power = await listen(
    createServer((request, response) => {
      response.writeHead(500, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ title: `no: ${request.headers.authorization}`, status: 500 }));
    }),
  );
  const seen: Seen = new Map();
  let calls = '';
  const settings = (
    dir: string,
    remote: string,
    idleSeconds = 30,
  ) => `    idleSeconds: ${idleSeconds}
    upload: ${dir}/offsite
    encrypt: [${recipient}]
    git: { remote: "${remote}", privateKey: git-key }
    webhook: { url: "http://127.0.0.1:${receiver.port}/hook", token: webhook-token, on: [run, change, failure] }
    powerToken: power-token
    jumphost: { paths: [] }`;
  const lab = await startIdleLab({
    isFake: false,
    powerUrl: `http://127.0.0.1:${power}`,
    yaml: yamlOf(rack),
    settings: (dir) => settings(dir, `file://${dir}/remote.git`),
    async prepare(stateDir) {
      const dir = join(stateDir, '..');
      const file = (name: string, text: string) =>
        writeFile(join(dir, name), `${text}\n`, { mode: 0o600 });
      await file('password', account.password);
      await file('enable', enablePassword);
      await file('webhook-token', tokens.webhook);
      await file('power-token', tokens.power);
      await file('git-key', gitKey);
      for (const [name, { login }] of devices) {
        if (login) await file(`key-${name}`, login.privateKey);
      }
      await mkdir(join(dir, 'offsite'));
      await run('git', ['init', '-q', '--bare', '--initial-branch=main', join(dir, 'remote.git')]);
      calls = await recordPrograms(dir, ['git', 'ssh']);
    },
  });
  const { equipment: shown } = await lab.admin.allEquipment({ query: {} });
  expect(shown.map(({ name, state, detail }) => [name, detail ?? state])).toEqual(
    [...devices.keys(), 'jumphost-rack1'].map((name) => [name, 'ok']),
  );

  for (const { change } of devices.values()) await change();
  const changed = await lab.run();
  expect(changed.equipment.filter(({ result }) => result === 'failed')).toEqual([]);
  await ask(lab, devices.keys(), seen, 'changed');
  await lab.edit(yamlOf(rack), settings(lab.dir, `file://${lab.dir}/remote.git`, 2));
  await everythingGoesWrong(lab, rack, seen);
  await lab.edit(yamlOf(rack), settings(lab.dir, `file://${lab.dir}/remote.git`));
  const others = [...devices.keys()].filter((name) => name !== 'router-1');
  const restored = ['router-1', ...others];
  for (const name of restored) await restore(lab, name, seen, 'restored');
  for (const { change } of devices.values()) await change();
  await lab.run();
  for (const { faults: each } of rack.simulated)
    each.dropAt = { command: /^commit-confirm/, when: 'before' };
  await rack.frr?.setFault('dies-configuring');
  for (const name of restored) await restore(lab, name, seen, 'restore failed');
  await ask(lab, restored, seen, 'restore failed');
  const sent = async () =>
    (await lab.admin.allEquipment({ query: {} })).offsite.map(
      ({ queued, problem }) => problem ?? queued,
    );
  await expect.poll(sent).toEqual([0, 0]);
  // A remote that uses the key, and does not listen.
  await lab.edit(yamlOf(rack), settings(lab.dir, 'ssh://git@127.0.0.1:9/rack.git'));
  await expect.poll(sent).toEqual([0, expect.stringContaining('127.0.0.1')]);
  await ask(lab, [], seen, 'no remote');
  const withSecrets = await Promise.all(
    [...devices.keys()].map(async (name) => {
      const content = await fetch(
        `${lab.url}/v1/equipment/${name}/versions/latest/content?secrets=true`,
        { headers: { authorization: `Bearer ${lab.adminToken}` } },
      );
      return [name, /canary/i.test(await content.text())];
    }),
  );
  await lab.stop();

  expect(withSecrets).toEqual([...devices.keys()].map((name) => [name, true]));
  expect((await stat(join(lab.stateDir, 'repository'))).mode & 0o077).toBe(0);
  expect(receiver.authorized).toContain(`Bearer ${tokens.webhook}`);
  expect(receiver.bodies.join('')).toContain('<secret ');
  expect((await readFile(calls, 'utf8')).match(/^ssh$/gm)?.length).toBeGreaterThan(0);
  for (const [index, body] of receiver.bodies.entries()) seen.set(`webhook ${index}`, body);
  seen.set(
    'log',
    lab
      .logged()
      .map((line) => JSON.stringify(line))
      .join('\n'),
  );
  const written = await allIn(lab.dir);
  const held = [...written].filter(([name]) => mayHold(name)).map(([, bytes]) => bytes);
  expect(Buffer.concat(held).toString('latin1')).toMatch(/canary/i);
  for (const [name, bytes] of written) {
    if (!mayHold(name)) seen.set(name, bytes.toString('latin1'));
  }
  const found = [...secretsOf(rack, lab)].flatMap(([what, secret]) =>
    [...seen].flatMap(([where, text]) =>
      [...text.matchAll(new RegExp(secret, `${secret.flags}g`))].slice(0, 3).map(({ index }) => {
        return { what, where, text: text.slice(Math.max(0, index - 150), index + 50) };
      }),
    ),
  );
  expect(found).toEqual([]);
  expect(neverSeen(seen)).toEqual([]);
});

/** What shows that all of it was looked through, and that it was worth it. */
function neverSeen(seen: Seen): string[] {
  const all: [RegExp, RegExp][] = [
    [/^state\/host-keys\.json$/, /SHA256/],
    [/^state\/audit\//, /read with secrets/],
    [/^state\/last-success/, /switch-1/],
    [/^state\/journal\//, /switch-1/],
    [/^state\/transcripts\//, /<secret /],
    [/^remote\.git: all objects$|^remote\.git\/objects: all objects$/, /age-encryption\.org/],
    [/^offsite\/.*router-1/, /^age-encryption\.org/],
    [/^calls$/, /fast-import/],
    [/^log$/, /backup failed/],
    [/^drops-mid-configuration: GET \/v1\/equipment$/, /<secret>/],
    [/^changed: .*switch-1\/diff$/, /<secret /],
    [/^changed: .*switch-1\/diff\?secrets=true$/, /"status":403/],
    [/^restored: .*router-1.*restore$/, /"restored":true/],
    [/^restore failed: .*router-1.*restore$/, /"failure"/],
  ];
  return all
    .filter(([where, what]) => ![...seen].some(([at, text]) => where.test(at) && what.test(text)))
    .map(([where, what]) => `${where} ${what}`);
}

/** Where the canaries were put, and the history. */
function mayHold(name: string): boolean {
  return /^(?:password|enable|webhook-token|power-token|git-key|key-[\w-]+|state\/repository[/:].*)$/.test(
    name,
  );
}
