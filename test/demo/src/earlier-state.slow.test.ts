/**
 * The state of earlier versions: the demo continues with it, and nothing is lost. `testdata/state-VERSION.tar.gz` is the directory of a demo
 * of that version, after a power cycle, a backup, an order for a machine, a request for a token, and an alert that a sink did not accept.
 *
 * `SKOLO_KEEP_STATE=1 npx vitest run src/earlier-state.slow.test.ts` writes the archive of this version.
 */

import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { text } from 'node:stream/consumers';
import { run } from '@skolo/base/testing';
import { lacks } from '@skolo/simulators';
import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { z } from 'zod';
import { root } from './folder/folders.ts';
import { commitOf, sourcesAt } from './testing/earlier-sources.ts';
import { Entries, expectKept, Kept, type Lists } from './testing/kept-lists.ts';
import { ask, type DemoProcess, edit, newFolder, shell, spawnDemo } from './testing/run-demo.ts';

const testdata = join(import.meta.dirname, '../testdata');
const archives = readdirSync(testdata).filter((name) => /^state-.*\.tar\.gz$/.test(name));
const machine = 'skia-rpi2-demo-shelf1-001';
/** Asks for a token once, and never again. */
const client = 'skia-e-linux-01';
/** Nothing listens there. */
const nowhere = 'http://127.0.0.1:9/';

/** Commands whose answers are lists that only grow. */
const lists = {
  backups: 'backup list router',
  cycles: 'power log',
  history: `machine history ${machine}`,
  clients: 'metadata clients',
} as const;

afterEach(() => vi.unstubAllEnvs());

/** In real time: a test of the whole rack in a hurry is in demo.slow.test.ts. */
async function start(dir: string, sources?: string): Promise<DemoProcess> {
  const env = { SKOLO_DEMO_MINUTE_MS: '60000' };
  const demo = spawnDemo(['--dir', dir], env, onTestFinished, sources);
  await demo.printed(/Ctrl-C ends all of it/);
  return demo;
}

function commandIn(dir: string, sources?: string) {
  const where = `--rack '${dir}/rack.yaml' --token-file '${dir}/secrets/operator-token'`;
  return (command: string) => shell(`npx skolo ${command} ${where}`, sources);
}

type Skolo = (command: string) => Promise<string>;

/** A rack.yaml with this sink of alerts. */
function withSink(rack: string, url: string): string {
  const sink = `{ name: pager, kind: http, url: "${url}" }`;
  return rack.replace(/^ {4}topic: .*$/m, `$&\n    sinks: [${sink}]`);
}

async function deliverTo(url: string, dir: string, skolo: Skolo) {
  await edit(join(dir, 'rack.yaml'), (rack) => withSink(rack, url));
  await expect.poll(() => skolo('alerts status'), { interval: 1000 }).toContain('pager');
}

/** Makes each service write state. */
async function use(demo: DemoProcess, skolo: Skolo) {
  await shell(demo.command(/printf .* ssh /));
  await skolo(`backup run router --reason 'a new domain' --wait`);
  await skolo(`power cycle ${machine} --mode hard --reason 'it hung' --wait`);
  await skolo(`machine maintain ${machine} --reason 'a new fan'`);
  await ask(demo.command(/token$/).replace(/(--interface \S+)\.1 /, '$1.50 '));
  await shell(demo.command(/curl .*\/api\/v2\/alerts/));
  await expect.poll(() => skolo(`machine list ${machine}`)).toMatch(/a new fan$/m);
}

/** The last change of the router, the order for the machine, and the alert that was not accepted. */
async function expectContinued(skolo: Skolo, { received }: { received: string[] }) {
  expect(await skolo('backup diff router')).toMatch(/^\+ +domain-name lab\.example$/m);
  await expect.poll(() => skolo(`machine list ${machine}`)).toContain('a new fan');
  await expect.poll(() => received.join('\n')).toContain('"HostHot"');
}

async function listsOf(skolo: Skolo): Promise<Lists> {
  const answers: Lists = {};
  for (const [name, command] of Object.entries(lists)) {
    const answer: unknown = JSON.parse(await skolo(`${command} --json`));
    // Some answers are a list, the others an object that contains one.
    const list = z.union([Entries, z.looseObject({})]).parse(answer);
    answers[name] = Array.isArray(list)
      ? list
      : Entries.parse(Object.values(list).find(Array.isArray));
  }
  const clients = answers.clients?.filter(({ name }) => name === client) ?? [];
  // The machine's current condition is written again whenever the service has observed more about it.
  const current = answers.history?.findLast(({ kind }) => kind === 'condition');
  const history = answers.history?.filter((entry) => entry !== current) ?? [];
  return { ...answers, clients, history };
}

/** The only state whose format has a number. */
function formatOfHistory(dir: string): number {
  const database = new DatabaseSync(join(dir, 'state/machine-state/history.sqlite'));
  const row = database.prepare('PRAGMA user_version').get();
  database.close();
  return z.object({ user_version: z.int() }).parse(row).user_version;
}

/** Lets all programs that start from now on have the clock of that time: services delete what is too old. */
function moveClock(at: string) {
  vi.stubEnv('SKOLO_CLOCK_BEHIND_MS', String(Date.now() - Date.parse(at)));
  vi.stubEnv('NODE_OPTIONS', `--import=${new URL('testing/past-clock.ts', import.meta.url).href}`);
}

/** A sink of alerts. Returns its URL, and what has arrived. */
async function startSink() {
  const received: string[] = [];
  const server = createServer(async (request, response) => {
    received.push(await text(request));
    response.end();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}/`, received };
}

describe.skipIf(lacks('python3', 'adb', 'curl', 'ssh'))('state', () => {
  it.skipIf(!process.env.SKOLO_KEEP_STATE && 'only with SKOLO_KEEP_STATE')(
    'of this version is kept',
    async () => {
      const dir = await newFolder();
      const skolo = commandIn(dir);
      const demo = await start(dir);
      await deliverTo(nowhere, dir, skolo);
      await demo.printed(/backed up +device=router/);
      await use(demo, skolo);
      const kept = { lists: await listsOf(skolo), at: new Date().toISOString() };
      expect(await demo.end()).toBe(0);

      const { version } = z
        .object({ version: z.string() })
        .parse(JSON.parse(await readFile(join(root, 'package.json'), 'utf8')));
      const formats = { history: formatOfHistory(dir) };
      await writeFile(join(dir, 'kept.json'), JSON.stringify({ ...kept, formats }, null, 2));
      const archive = join(testdata, `state-${version}.tar.gz`);
      const how = ['--sort=name', '--owner=0', '--group=0', '--exclude=./state/swarming-bot'];
      await run('tar', [...how, '-czf', archive, '-C', dir, '.']);
    },
  );

  it.each(archives)('%s: the demo continues with it', async (archive) => {
    const dir = await newFolder();
    await run('tar', ['-xzf', join(testdata, archive), '-C', dir]);
    const kept = Kept.parse(JSON.parse(await readFile(join(dir, 'kept.json'), 'utf8')));
    const sink = await startSink();
    await edit(join(dir, 'rack.yaml'), (rack) => rack.replace(nowhere, sink.url));
    moveClock(kept.at);
    expect(formatOfHistory(dir)).toBe(kept.formats.history);

    const demo = await start(dir);

    const skolo = commandIn(dir);
    expectKept(await listsOf(skolo), kept.lists);
    await expectContinued(skolo, sink);
    expect(await demo.end()).toBe(0);
    expect(formatOfHistory(dir)).toBeGreaterThanOrEqual(kept.formats.history);
  });

  it.for(archives)(
    '%s: after a push and its rollback, that release continues with what this version wrote',
    async (archive, { skip }) => {
      const [, version = ''] = /^state-(.*)\.tar/.exec(archive) ?? [];
      const commit = (await commitOf(version)) ?? skip(`${version} is not in this clone's history`);
      const sources = await sourcesAt(commit);
      const dir = await newFolder();
      expect(await (await start(dir, sources)).end()).toBe(0);
      const former = await readFile(join(dir, 'rack.yaml'), 'utf8');
      const pushed = await start(dir);
      const skolo = commandIn(dir);
      await deliverTo(nowhere, dir, skolo);
      await use(pushed, skolo);
      const lists = await listsOf(skolo);
      expect(await pushed.end()).toBe(0);
      const sink = await startSink();
      // A rollback restores it, too.
      await edit(join(dir, 'rack.yaml'), () => withSink(former, sink.url));

      const back = await start(dir, sources);

      const earlier = commandIn(dir, sources);
      expectKept(await listsOf(earlier), lists);
      await expectContinued(earlier, sink);
      expect(back.output).not.toMatch(/unreadable|damaged/);
      expect(await back.end()).toBe(0);
    },
  );
});
