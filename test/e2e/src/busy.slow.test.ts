/** `skolo machine busy` with a real daemon, real power and a token that can do nothing else; whatever is killed, no job is cut, and none stays. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createClient, powerCycleDaemonApi } from '@skolo/api';
import { agentPublicKey, newAgentKey } from '@skolo/base/secrets';
import { run, tempDir } from '@skolo/base/testing';
import { newToken } from '@skolo/common';
import { startHttpRelay } from '@skolo/simulators';
import { expect, it, onTestFinished } from 'vitest';
import { runCommand } from '../../../packages/cli/src/testing/run-command.ts';
import { operatorToken, startService } from './service-process.ts';

const cli = fileURLToPath(new URL('../../../packages/cli/src/main.ts', import.meta.url));

async function startLab() {
  const dir = await tempDir();
  const file = (name: string) => join(dir, name);
  const relay = await startHttpRelay({ outlets: 2 });
  onTestFinished(() => relay.close());
  const key = newAgentKey();
  await writeFile(file('agent-key'), key.reveal(), { mode: 0o600 });
  const value = `'/relay/{outlet}/value'`;
  const write = (url: string) =>
    writeFile(
      file('rack.yaml'),
      `rack: rack4
network: { subnet: 127.0.0.0/8 }
jumphost: { name: jumphost-rack4, address: 127.0.0.1 }
access: { tokens: { file: tokens.yaml }, anonymousRead: [127.0.0.0/8], agents: { privateKey: agent-key, publicKey: ${agentPublicKey(key)} } }
equipment:
  relay:
    model: http-switch
    address: 127.0.0.1
    ports: { http: ${relay.port} }
    outlets: 2
    on: { method: PUT, path: ${value}, body: '1' }
    off: { method: PUT, path: ${value}, body: '0' }
    read: { path: ${value}, on: '^1$', off: '^0$' }
machines:
  board-[1-2]: { kind: host, power: relay/[1-2], offSeconds: 0.5 }
services:
  power-cycle-daemon: { cooldownSeconds: 0, maxPerHour: 60, url: "${url}" }
`,
    );
  await write('http://127.0.0.1:9');
  const token = await operatorToken(dir);
  const flags = ['--rack', file('rack.yaml'), '--state-dir', file('state')];
  const start = async () => {
    const daemon = await startService('power-cycle-daemon', flags);
    await write(daemon.url);
    return daemon;
  };
  const daemon = await start();
  const ann = (baseUrl = daemon.url) => createClient(powerCycleDaemonApi, { baseUrl, token });
  const about = { name: 'ci', role: 'view' as const, expiresInDays: 1, busy: ['board-1'] };
  await writeFile(file('ci'), await newToken(file('tokens.yaml'), about), { mode: 0o600 });
  const words = (...args: string[]) => [
    ...['machine', 'busy', '--rack', file('rack.yaml'), '--token-file', file('ci')],
    ...args,
  ];
  const offs: string[] = [];
  relay.board.on('change', ({ outlet, on }) => void (on || offs.push(outlet)));
  return {
    dir,
    daemon,
    start,
    ann,
    offs,
    skolo: (...args: string[]) => runCommand(words(...args)),
    spawn: (...args: string[]) =>
      spawn(process.execPath, [cli, ...words(...args)], { cwd: dir, stdio: 'ignore' }),
    async cycle(client = ann()) {
      const body = { machines: ['board-1'], reason: 'dead', mode: 'hard' as const };
      const { cycles } = await client.requestCycles({ body });
      const id = cycles[0]?.id ?? '';
      await expect.poll(async () => (await client.cycle({ params: { id } })).outcome).toBeDefined();
      return await client.cycle({ params: { id } });
    },
    jobs: async (client = ann()) =>
      (await client.holds()).holds.filter(({ kind }) => kind === 'busy'),
  };
}

/** A command that runs until it is killed; its process ID is in this file. */
async function endless(dir: string) {
  const file = join(dir, 'pid');
  onTestFinished(async () => {
    const pid = Number(await readFile(file, 'utf8').catch(() => ''));
    if (pid > 0) process.kill(pid, 'SIGKILL');
  });
  return ['--', 'sh', '-c', `echo $$ > pid; exec sleep 1000`];
}

it('runs a command, is busy meanwhile, and exits as the command does', async () => {
  const { skolo, jobs, dir, offs } = await startLab();
  const saw = join(dir, 'saw');
  const look = `fetch(process.argv[1] + '/v1/holds').then((a) => a.text()).then((t) => require('fs').writeFileSync(process.argv[2], t)).then(() => process.exit(7))`;
  const url = /url: "([^"]+)"/.exec(await readFile(join(dir, 'rack.yaml'), 'utf8'))?.[1] ?? '';

  const ran = await skolo(
    'board-1',
    '--text',
    'nightly',
    '--',
    process.execPath,
    '-e',
    look,
    url,
    saw,
  );
  const elsewhere = await skolo('board-2', '--', process.execPath, '-e', look, url, saw);
  const missing = await skolo('board-1', '--', '/no/such/program');

  expect(ran).toEqual({ out: '', err: '', exitCode: 7 });
  expect(JSON.parse(await readFile(saw, 'utf8')).holds).toMatchObject([
    { target: 'board-1', kind: 'busy', by: 'ci', reason: 'nightly' },
  ]);
  expect(elsewhere).toMatchObject({
    exitCode: 1,
    err: expect.stringContaining('only for board-1'),
  });
  expect(missing.exitCode).toBe(126);
  expect(await jobs()).toEqual([]);
  expect(offs).toEqual([]);
});

it('runs as printed for GitLab runners, with a token that can do nothing else', async () => {
  const { dir, daemon, jobs } = await startLab();
  const page = await readFile(
    new URL('../../../docs/adopt/with-your-tools.md', import.meta.url),
    'utf8',
  );
  const [, block = ''] = /```\n(skolo token new ci .*?)```/s.exec(page) ?? [];
  const lines = block
    .replace('http://192.0.2.1:9210', daemon.url)
    // The lab already has a token of this name.
    .replace('new ci', 'new gitlab')
    .replaceAll('board-[1-8]', 'board-[1-2]')
    .replaceAll('board-4', 'board-2');
  const script = (name: string, text: string) =>
    writeFile(join(dir, name), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
  await script('skolo', `exec ${process.execPath} ${cli} "$@"`);
  await script(
    'run-tests.sh',
    `exec ${process.execPath} -e "fetch('${daemon.url}/v1/holds').then((a) => a.text()).then(console.log)"`,
  );
  const env = {
    ...process.env,
    PATH: `${dir}:${process.env.PATH}`,
    CI_JOB_ID: '4711',
    SKOLO_RACK: 'rack.yaml',
  };

  const { stdout } = await run('/bin/sh', ['-ec', lines], { cwd: dir, env });

  expect(JSON.parse(stdout).holds).toMatchObject([
    { kind: 'busy', target: 'board-2', by: 'gitlab', reason: 'job 4711' },
  ]);
  expect(await jobs()).toEqual([]);
});

it('says so once, and that the job has ended', async () => {
  const { skolo, jobs, cycle } = await startLab();

  const said = await skolo('board-1', '--for', '1h', '--text', 'nightly');
  const during = await cycle();
  const ended = await skolo('board-1', '--end');
  const again = await skolo('board-1', '--end');

  expect(said).toMatchObject({ exitCode: 0, err: expect.stringMatching(/^board-1: busy until /) });
  expect(during.outcome).toBe('busy');
  expect(ended).toMatchObject({ exitCode: 0, err: 'board-1: no longer busy\n' });
  expect(again.exitCode).toBe(1);
  expect(await jobs()).toEqual([]);
});

it('does not run the command while the machine is being cycled', async () => {
  const { skolo, ann, dir } = await startLab();
  const client = ann();
  const body = { machines: ['board-1'], reason: 'dead', mode: 'hard' as const, offSeconds: 600 };
  await client.requestCycles({ body });
  await expect.poll(async () => (await client.cycles({ query: {} })).cycles[0]?.step).toBe('off');

  const { exitCode, err } = await skolo('board-1', '--', 'touch', join(dir, 'ran'));

  expect(exitCode).toBe(1);
  expect(err).toContain('board-1 is being power-cycled');
  await expect(readFile(join(dir, 'ran'))).rejects.toThrow('ENOENT');
});

it('protects the job while the daemon is killed, and for no longer than its time once its holder is', async () => {
  const { spawn, jobs, cycle, dir, daemon, start, ann, offs } = await startLab();
  const holder = spawn('board-1', '--for', '1m', ...(await endless(dir)));
  onTestFinished(() => void holder.kill('SIGKILL'));
  await expect.poll(() => jobs()).toHaveLength(1);
  const before = await cycle();

  await daemon.end('SIGKILL');
  const next = ann((await start()).url);
  const after = await cycle(next);
  holder.kill('SIGKILL');
  await once(holder, 'exit');
  const orphan = await cycle(next);
  await expect.poll(() => jobs(next)).toEqual([]);
  const free = await cycle(next);

  expect([before, after, orphan].map(({ outcome }) => outcome)).toEqual(['busy', 'busy', 'busy']);
  expect(free.step).not.toBe('check');
  expect(offs).toHaveLength(1);
});
