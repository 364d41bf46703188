/**
 * Weak secrets can be guessed by whoever can test a guess: with a hash of the content, an ID that is one, its exact size, or a mask that
 * another device's configuration explains. So whoever may not read secrets receives none of these.
 */
import { createHash } from 'node:crypto';
import { readdir, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { type RouteSpec, routerBackupApi } from '@skolo/api';
import { Repository } from '@skolo/backup';
import { listen, run } from '@skolo/base/testing';
import { expect, it } from 'vitest';
import { FakeDevices, unreachable } from './testing/fake-device.ts';
import { type Lab, startIdleLab } from './testing/lab.ts';

/** Made by age-keygen for this test alone. */
const recipient = 'age1sml852a9e9qjcm5eq2tsyh5yfu330uqhn7q5ap29wj6vldg9p5lqjnstcn';
const devices = ['router', 'switch-1', 'switch-2'];
/** Six digits, so that no port or year is one. */
const filler = 'interface eth0\n'.repeat(8000);

function configuration(device: string, secret: string, more = ''): string {
  return `hostname ${device}\npassword ${secret}\n${more}${filler}end\n`;
}

/** By what was asked, without admin. */
type Answers = Map<string, string>;

/** @param selectors beside the IDs */
async function ask(
  lab: Lab,
  answers: Answers,
  when: string,
  selectors = ['latest', 'latest~1', 'startup', 'nothing'],
): Promise<void> {
  const headers = { authorization: `Bearer ${lab.operatorToken}` };
  const get = async (url: string) => {
    const response = await fetch(url, { headers });
    const shown = JSON.stringify([...response.headers]);
    answers.set(`${when}: ${url}`, `${response.status} ${shown} ${await response.text()}`);
  };
  const { backups } = await lab.operator.backups({ query: {} });
  const ids = new Set<string>();
  for (const device of devices) {
    const listed = await lab.operator
      .versions({ params: { equipment: device }, query: {} })
      .catch(() => ({
        versions: [],
      }));
    // The newest and the oldest: each is asked for of each device.
    for (const version of [listed.versions[0], listed.versions.at(-1)])
      if (version) ids.add(version.id);
  }
  const values: Record<string, readonly string[]> = {
    equipment: devices,
    version: [...selectors, ...ids],
    id: backups.map(({ id }) => id),
  };
  for (const { method, path, role } of Object.values<RouteSpec>(routerBackupApi)) {
    if (method !== 'get') continue;
    for (const each of filled(path, values)) await get(`${lab.url}${each}`);
    // It rejects them, or that would be the end.
    if (role === 'view') await get(`${lab.url}${filled(path, values)[0]}?secrets=true`);
  }
  for (const path of ['/openapi.json', '/v1/audit?limit=1000']) await get(`${lab.url}${path}`);
  for (const path of ['/metrics', '/readyz', '/healthz']) await get(`${lab.metricsUrl}${path}`);
}

/** All paths of a route. */
function filled(path: string, values: Record<string, readonly string[]>): string[] {
  const [whole, name = ''] = /\{(\w+)\}/.exec(path) ?? [];
  if (whole === undefined) return [path];
  const known = values[name];
  if (known === undefined) throw new Error(`${path}: unknown parameter ${name}`);
  return known.flatMap((value) => filled(path.replace(whole, value), values));
}

/** Digests that can be computed from guessed contents, in hex. */
function digestsOf(contents: Iterable<string>): string[] {
  return [...contents].flatMap((text) => {
    const blob = createHash('sha1').update(`blob ${Buffer.byteLength(text)}\0${text}`);
    const plain = ['md5', 'sha1', 'sha224', 'sha256', 'sha384', 'sha512'].map((name) =>
      createHash(name).update(text),
    );
    return [blob, ...plain].map((hash) => hash.digest('hex'));
  });
}

/** IDs of trees, and of commits without what nobody can guess. */
async function gitIdsOf(repository: string): Promise<string[]> {
  const git = async (...args: string[]) =>
    (await run('git', ['-C', repository, ...args], { maxBuffer: 1 << 28 })).stdout.trim();
  const trees = (await git('log', '--format=%T', 'main')).split('\n');
  // The history begins without a device.
  const empty = trees.at(-1);
  const guessed = new Map<string, string>();
  for (const id of (await git('rev-list', '--reverse', 'main')).split('\n')) {
    const commit = `${await git('cat-file', 'commit', id)}\n`
      .replace(/^Nonce: .*\n/m, '')
      .replace(/^parent (\w+)/m, (_, parent) => `parent ${guessed.get(parent)}`);
    const header = `commit ${Buffer.byteLength(commit)}\0`;
    guessed.set(
      id,
      createHash('sha1')
        .update(header + commit)
        .digest('hex'),
    );
  }
  guessed.delete((await git('rev-list', '--max-parents=0', 'main')).trim());
  return [...trees.filter((tree) => tree !== empty), ...guessed.values()];
}

function leaks(answers: Answers, digests: readonly string[], sizes: readonly number[]): string[] {
  const prefixes = new Set(digests.map((digest) => digest.slice(0, 7)));
  const inBase64 = digests.map((digest) => Buffer.from(digest, 'hex').toString('base64'));
  return [...answers].flatMap(([where, text]) => {
    const words = text.toLowerCase().match(/(?<![0-9a-z])[0-9a-f]{7,}/g) ?? [];
    const encoded = text.replaceAll('-', '+').replaceAll('_', '/');
    const numbers = new Set(text.match(/(?<!\d)\d{6}(?!\d)/g));
    const found = [
      ...words.filter((word) => prefixes.has(word.slice(0, 7))),
      ...inBase64.filter((each) => encoded.includes(each.slice(0, 10))),
      // The sizes of encrypted files show those of their contents, too.
      ...(where === 'git remote' ? [] : sizes).filter((size) => numbers.has(`${size}`)),
    ];
    return found.map((each) => `${where}: ${each}`);
  });
}

it('cannot be tested by anybody who may not read secrets', async () => {
  const answers: Answers = new Map();
  const webhook = await listen(
    createServer((request, response) => {
      let body = '';
      request.setEncoding('utf8').on('data', (text: string) => {
        body += text;
      });
      request.on('end', () => {
        answers.set(`webhook ${answers.size}`, body);
        response.end();
      });
    }),
  );
  const fake = new FakeDevices();
  const contents = new Set<string>();
  const change = (device: string, secret: string, more?: string) => {
    const each = fake.get(device);
    each.text = configuration(device, secret, more);
    contents.add(each.text);
    return each;
  };
  for (const device of devices) change(device, 'hunter2');
  const running = change('switch-1', 'hunter2');
  running.startup = configuration('switch-1', 'hunter1');
  contents.add(running.startup);
  const lab = await startIdleLab({
    devices: fake,
    settings: (dir) => `    upload: ${dir}/offsite
    encrypt: [${recipient}]
    git: { remote: "file://${dir}/remote.git" }
    jumphost: { backup: false }
    webhook: { url: "http://127.0.0.1:${webhook}/", on: [run, change, failure] }`,
    prepare: async (stateDir) => {
      const dir = join(stateDir, '..');
      await run('git', ['init', '-q', '--bare', '--initial-branch=main', join(dir, 'remote.git')]);
      await run('mkdir', [join(dir, 'offsite')]);
    },
  });
  await ask(lab, answers, 'first versions');

  change('router', 'hunter3', 'domain lan\n');
  fake.get('switch-2').text = 'hostname switch-2\nend\n';
  await lab.run();
  await ask(lab, answers, 'changed, and suspiciously small');
  const wanted = { params: { equipment: 'router', version: 'latest~1' } };
  const look = await lab.admin.checkRestore(wanted);
  await lab.admin.restore({ ...wanted, body: { running: look.running, reason: 'try' } });
  const digest = createHash('sha256').update(running.text).digest('hex');
  running.failures.push(unreachable(`switch-1: sha256sum printed ${digest}  /config`));
  await lab.run('switch-1');
  await ask(lab, answers, 'restored, and failed');
  const sent = async () =>
    (await lab.admin.allEquipment({ query: {} })).offsite.map(({ queued }) => queued);
  await expect.poll(sent).toEqual([0, 0]);
  const names = await readdir(join(lab.dir, 'offsite'));
  answers.set('off-site names', names.join('\n'));
  const objects = ['-C', join(lab.dir, 'remote.git'), 'cat-file', '--batch-all-objects', '--batch'];
  answers.set('git remote', (await run('git', objects, { maxBuffer: 1 << 28 })).stdout);
  const repository = join(lab.stateDir, 'repository');
  const inGit = await gitIdsOf(repository);
  const sizes = [...contents].map((text) => Buffer.byteLength(text));

  // Damaged, then lost: the reasons may quote git.
  const pack = join(repository, 'objects/pack');
  for (const name of await readdir(pack)) {
    if (name.endsWith('.pack')) await run('truncate', ['-s', '-40', join(pack, name)]);
  }
  await ask(lab, answers, 'damaged', ['latest']);
  await lab.stop();
  const damaged = await startIdleLab({ previous: lab });
  await ask(damaged, answers, 'set aside', ['latest']);
  await damaged.stop();
  answers.set('log', JSON.stringify([...lab.logged(), ...damaged.logged()]));
  await rm(repository, { recursive: true });
  const lost = await startIdleLab({ previous: lab });
  await ask(lost, answers, 'lost', ['latest']);

  const shown = [...answers].map(([where, text]) => `${where} ${text}`).join('\n');
  expect(shown.match(/<secret [0-9a-f]{12}>/g)?.length).toBeGreaterThan(10);
  const seen = [
    'suspiciously-small',
    'pack-<id>.pack',
    '"lost":[{',
    '"kind":"change"',
    '"restored"',
  ];
  expect(seen.filter((each) => !shown.includes(each))).toEqual([]);
  expect([...answers.values()].filter((text) => text.startsWith('429'))).toEqual([]);
  expect(names.filter((name) => name.endsWith('.gz.age')).length).toBeGreaterThan(4);
  expect(inGit.length).toBeGreaterThan(10);
  expect(leaks(answers, [...digestsOf(contents), ...inGit], sizes)).toEqual([]);
});

it('is not explained by another device, but a device has the same mask for the same secret', async () => {
  const fake = new FakeDevices();
  for (const device of devices) fake.get(device).text = configuration(device, 'hunter2');
  fake.get('switch-1').startup = configuration('switch-1', 'hunter2', 'no shutdown\n');
  const lab = await startIdleLab({ devices: fake });
  const maskOf = async (device: string, version = 'latest') => {
    const { bytes } = await lab.operator.content({
      params: { equipment: device, version },
      query: {},
    });
    return /^password (.*)$/m.exec(`${Buffer.from(bytes)}`)?.[1];
  };

  const masks = [];
  for (const device of devices) masks.push(await maskOf(device));

  expect(new Set(masks).size).toBe(3);
  expect(await maskOf('switch-1', 'startup')).toBe(masks[1]);
});

it('cannot be tested by the ID of a version that an earlier release stored', async () => {
  const about = { rack: 'rack1', model: 'frr', run: '1', time: '2026-01-01T00:00:00Z', by: 'ann' };
  let id = '';
  const lab = await startIdleLab({
    prepare: async (stateDir) => {
      const folder = join(stateDir, 'repository');
      const repository = await Repository.open(folder, { rack: 'rack1' });
      const content = { bytes: Buffer.from('hostname router\npassword old\nend\n') };
      await repository.commit({ device: 'router', content, about });
      await repository.close();
      const git = async (...args: string[]) => (await run('git', ['-C', folder, ...args])).stdout;
      const message = await git('log', '-1', '--format=%B', 'main');
      await writeFile(join(stateDir, 'message'), message.replace(/^Nonce: .*\n/m, ''));
      const author = ['-c', 'user.name=a', '-c', 'user.email=a@b'];
      const tree = ['-p', 'main^', '-F', join(stateDir, 'message'), 'main^{tree}'];
      id = (await git(...author, 'commit-tree', ...tree)).trim();
      await git('update-ref', 'refs/heads/main', id);
    },
  });

  const { versions } = await lab.operator.versions({ params: { equipment: 'router' }, query: {} });
  const oldest = versions.at(-1)?.id ?? '';
  const content = (version: string) =>
    lab.operator.content({ params: { equipment: 'router', version }, query: {} });

  expect(versions).toHaveLength(2);
  expect(oldest).toMatch(/^[0-9a-f]{40}$/);
  expect(oldest).not.toBe(id);
  expect(`${Buffer.from((await content(oldest.slice(0, 12))).bytes)}`).toContain('<secret ');
  await expect(content(id)).rejects.toMatchObject({ status: 404 });
  await expect(content(id.slice(0, 7))).rejects.toMatchObject({ status: 404 });
});
