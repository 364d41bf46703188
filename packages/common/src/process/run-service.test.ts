import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, open, readdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { Agent, get as httpGet } from 'node:http';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { tempDir, untilTestEnds } from '@skolo/base/testing';
import { freeTcpPort } from '@skolo/simulators/free-port';
import { describe, expect, it, onTestFinished } from 'vitest';
import { newToken } from '../access/token-file.ts';
import { listen } from '../connections/listen.ts';
import { type Child, startChild } from '../testing/child.ts';
import { rackYaml } from '../testing/test-rack.ts';
import { ownVersion } from './version.ts';

const brokenYaml = `${rackYaml()}machines: { rpi-1: { kind: toaster, colour: red } }\n`;

/** A folder with rack.yaml, and the flags to run a service there. */
async function newRack(yaml = rackYaml()) {
  const dir = await tempDir();
  const file = join(dir, 'rack.yaml');
  await writeFile(file, yaml);
  const stateDir = join(dir, 'state');
  const flags = ['--rack', file, '--state-dir', stateDir, '--port', '0', '--metrics-port', '0'];
  return { dir, file, stateDir, flags };
}

async function startFixture(yaml?: string): Promise<Child & { file: string; stateDir: string }> {
  const { flags, file, stateDir } = await newRack(yaml);
  return { ...startChild('fixture-service', flags), file, stateDir };
}

async function getJson(url: string) {
  const answer = await fetch(url, { headers: { connection: 'close' } });
  return { status: answer.status, body: JSON.parse(await answer.text()) };
}

/** Asks each port over a connection that is kept open afterwards. */
async function keepAlive(...ports: number[]): Promise<void> {
  const agent = new Agent({ keepAlive: true });
  onTestFinished(() => agent.destroy());
  for (const port of ports) {
    const [answer] = await once(httpGet(`http://127.0.0.1:${port}/nowhere`, { agent }), 'response');
    await answer.resume().toArray();
  }
}

it('answers a wrong command line with one line, the usage, and exit code 2', async () => {
  const child = startChild('fixture-service', ['--prot', '80']);
  const help = startChild('fixture-service', ['--help']);

  expect(await child.exit()).toBe(2);
  expect(child.stderr()).toMatch(
    /^power-cycle-daemon: unknown flag --prot\n\nusage: power-cycle-daemon/,
  );
  expect(child.stdout()).toBe('');
  expect(await help.exit()).toBe(0);
  expect(help.stdout()).toMatch(/^usage: power-cycle-daemon/);
});

describe('a running service', () => {
  it('takes the environment for flags, says first that it listens, and answers IPv4 and IPv6', async () => {
    const { file, stateDir } = await newRack();
    const child = startChild('fixture-service', [], {
      SKOLO_RACK: file,
      SKOLO_STATE_DIR: stateDir,
      SKOLO_PORT: '0',
      SKOLO_METRICS_PORT: '0',
      SKOLO_LOG_LEVEL: 'debug',
    });
    const { port, metricsPort } = await child.ports();

    const answers = await Promise.all([
      getJson(`http://127.0.0.1:${metricsPort}/healthz`),
      getJson(`http://[::1]:${metricsPort}/readyz`),
      getJson(`http://[::1]:${port}/nowhere`),
    ]);
    const metrics = await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text();

    expect(child.lines()[0]).toMatchObject({ msg: 'listening', port, metricsPort });
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 404]);
    expect(answers[1]?.body).toEqual({ ready: true, degraded: [] });
    expect(await child.line('request')).toMatchObject({ level: 'debug', path: '/healthz' });
    // Those of its process, of rack.yaml and of requests.
    for (const name of [
      `skolo_build_info{service="power-cycle-daemon",version="${ownVersion}"`,
      'process_resident_memory_bytes',
      'skolo_rack_reload_success 1',
      'http_request_duration_seconds',
    ]) {
      expect(metrics).toContain(name);
    }

    await fetch(`http://127.0.0.1:${port}/warn`);
    expect(await child.line('warning')).toMatchObject({
      level: 'warn',
      err: { type: 'MetadataLookupWarning' },
    });
    expect(child.stderr()).toBe('');

    // What is not caught ends it, with one line.
    await expect(fetch(`http://127.0.0.1:${port}/crash`)).rejects.toThrow();
    expect(await child.exit()).toBe(1);
    expect(child.lines().at(-1)).toMatchObject({
      level: 'fatal',
      msg: 'uncaught',
      err: { message: 'https://host is broken' },
    });
    expect(child.stdout() + child.stderr()).not.toContain('hunter2');
  });

  it('stays up when its log cannot be written', async () => {
    const { flags } = await newRack();
    const full = untilTestEnds(await open('/dev/full', 'w'));
    const program = fileURLToPath(new URL('../testing/fixture-service.ts', import.meta.url));
    // It cannot tell us which ports it took. An address of its own, so that nobody takes them meanwhile.
    const host = `127.77.${(process.pid >> 8) & 255}.${(process.pid & 127) + 1}`;
    const [port, metricsPort] = [await freeTcpPort(host), await freeTcpPort(host)];
    const at = ['--host', host, '--port', `${port}`, '--metrics-port', `${metricsPort}`];
    const child = spawn(process.execPath, [program, ...flags, ...at, '--log-level', 'trace'], {
      stdio: ['ignore', full.fd, 'inherit'],
    });
    onTestFinished(() => void child.kill('SIGKILL'));

    const health = () =>
      fetch(`http://${host}:${metricsPort}/healthz`).then(
        ({ status }) => status,
        () => undefined,
      );

    await expect.poll(health).toBe(200);
    expect(await health()).toBe(200);
    child.kill('SIGTERM');
    expect(await once(child, 'exit')).toEqual([0, null]);
  });

  it('stays up without a state directory, says so, and ends with SIGINT, however many connections are kept open', async () => {
    const { flags, file } = await newRack();
    const child = startChild('fixture-service', [...flags, '--state-dir', join(file, 'state')]);
    const { port, metricsPort } = await child.ports();

    const { status, body } = await getJson(`http://127.0.0.1:${metricsPort}/readyz`);

    expect([status, body.ready]).toEqual([200, true]);
    expect(body.degraded).toContainEqual({
      what: 'state directory',
      why: expect.stringContaining('ENOTDIR'),
      since: expect.stringMatching(/Z$/),
    });
    expect(await child.line('degraded')).toMatchObject({ level: 'warn' });
    await keepAlive(port, metricsPort);
    child.process.kill('SIGINT');
    expect(await child.exit()).toBe(0);
    const messages = child.lines().map(({ msg }) => msg);
    expect([messages[0], ...messages.slice(-2)]).toEqual(['listening', 'stopping', 'stopped']);
  });
});

describe('SIGTERM and SIGINT', () => {
  it('let what is under way finish; a second SIGTERM changes nothing; a broken rack.yaml starts with the last good copy', async () => {
    const { file, flags } = await newRack();
    const child = startChild('fixture-service', flags);
    const { port, metricsPort } = await child.ports();
    const answer = getJson(`http://127.0.0.1:${port}/until-stopped`);
    await child.line('waiting');
    await keepAlive(port, metricsPort);

    child.process.kill('SIGTERM');
    await child.line('stopping');
    child.process.kill('SIGTERM');

    expect(await answer).toEqual({ status: 200, body: { stopped: true } });
    expect(await child.exit()).toBe(0);
    const messages = ['listening', 'waiting', 'stopping', 'stopped'];
    expect(child.lines().map(({ msg }) => msg)).toEqual(messages);

    await writeFile(file, brokenYaml);
    await startsWithLastGood(flags);
  });

  async function startsWithLastGood(flags: string[]) {
    const child = startChild('fixture-service', flags);
    const { port, metricsPort } = await child.ports();
    const { body } = await getJson(`http://127.0.0.1:${metricsPort}/readyz`);
    expect(body.ready).toBe(true);
    expect(JSON.stringify(body.degraded)).toContain('toaster');
    const metrics = await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text();
    expect(metrics).toMatch(/^skolo_rack_reload_success 0$/m);
    expect(metrics).not.toMatch(/^skolo_rack_reload_success_timestamp_seconds /m);
    expect(metrics).toMatch(/^skolo_degraded\{what="rack.*"\} 1$/m);
    expect(await child.line('rack.yaml rejected')).toMatchObject({
      level: 'error',
      problems: expect.arrayContaining([expect.stringContaining('toaster')]),
    });
    expect(child.lines()[0]?.msg).toBe('listening');

    // A second SIGINT ends it at once.
    fetch(`http://127.0.0.1:${port}/hang`).catch(() => undefined);
    await child.line('waiting');
    child.process.kill('SIGINT');
    await child.line('stopping');
    child.process.kill('SIGINT');
    expect(await child.exit()).toBe(1);
  }

  it('cuts off what is not finished within stopWithin', async () => {
    const child = await startFixture(
      `${rackYaml()}services: { power-cycle-daemon: { stopWithin: 1 } }\n`,
    );
    const { port } = await child.ports();
    const answer = fetch(`http://127.0.0.1:${port}/hang`);
    answer.catch(() => undefined);
    await child.line('waiting');

    child.process.kill('SIGTERM');

    await expect(answer).rejects.toThrow();
    expect(await child.exit()).toBe(0);
  });

  it('ends a start that is under way', async () => {
    const child = await startFixture(rackYaml().replace('rack4', 'starts-slowly'));
    await child.line('starting');

    child.process.kill('SIGTERM');

    expect(await child.exit()).toBe(0);
    expect(child.lines().map(({ msg }) => msg)).toEqual(['starting', 'stopping']);
  });
});

it('a start with errors in rack.yaml and without a last good copy uses the rest, reports what is disabled everywhere, and keeps no copy of it', async () => {
  const child = await startFixture(brokenYaml);

  const { port, metricsPort } = await child.ports();

  expect(await child.line('rack.yaml rejected')).toMatchObject({
    level: 'error',
    problems: [expect.stringMatching(/toaster/), expect.stringMatching(/colour/)],
  });
  expect(await child.line('rack.yaml entries disabled')).toMatchObject({
    level: 'error',
    disabled: ['machines.rpi-1'],
  });
  const { body } = await getJson(`http://127.0.0.1:${metricsPort}/readyz`);
  expect(body.ready).toBe(true);
  expect(JSON.stringify(body.degraded)).toMatch(
    /toaster.*disabled until fixed: machines\.rpi-1; the rest is active/,
  );
  const metrics = async () => (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text();
  expect(await metrics()).toMatch(/^skolo_rack_disabled_entries 1$/m);
  expect(await metrics()).toMatch(/^skolo_rack_reload_success 0$/m);
  // The next start must not take it for a good one.
  expect(await readdir(child.stateDir)).not.toContain('rack.last-good.yaml');

  await writeFile(child.file, rackYaml());

  await child.line('rack.yaml reloaded');
  expect(await metrics()).toMatch(/^skolo_rack_disabled_entries 0$/m);
  expect(await metrics()).toMatch(/^skolo_rack_reload_success 1$/m);

  // Nothing is under way; kept connections do not hold it.
  await keepAlive(port, metricsPort);
  child.process.kill('SIGTERM');
  expect(await child.exit()).toBe(0);
});

describe('a start that fails', () => {
  it('for a rack.yaml of which nothing can be used ends with exit code 78 and all that is wrong', async () => {
    const child = await startFixture(brokenYaml.replace('address: 127.0.0.1', 'address: here'));

    expect(await child.exit()).toBe(78);
    expect(child.lines()).toEqual([
      expect.objectContaining({
        level: 'fatal',
        msg: 'configuration rejected',
        problems: [
          expect.stringMatching(/rack\.yaml:\d+:\d+ .*here/),
          expect.stringMatching(/rack\.yaml:\d+:\d+ .*toaster/),
          expect.stringMatching(/rack\.yaml:\d+:\d+ .*colour/),
        ],
      }),
    ]);
  });

  // The sample has the same error in check-configuration.test.ts.
  it('for a rack.yaml that is missing ends with exit code 78, too', async () => {
    const { dir, flags } = await newRack();
    const missing = startChild('fixture-service', [...flags, '--rack', join(dir, 'none.yaml')]);
    expect(await missing.exit()).toBe(78);
    expect(missing.lines()).toEqual([
      expect.objectContaining({
        level: 'fatal',
        problems: [expect.stringContaining(join(dir, 'none.yaml'))],
      }),
    ]);
  });

  it('for a port that is taken ends with exit code 1 and says what to do', async () => {
    const other = createServer();
    onTestFinished(() => void other.close());
    const port = await listen(other, { port: 0, flag: '--port' });
    const { flags } = await newRack();

    const child = startChild('fixture-service', [...flags, '--port', String(port)]);

    expect(await child.exit()).toBe(1);
    expect(child.lines().at(-1)).toMatchObject({
      msg: 'cannot listen',
      why: expect.stringContaining('set another port with --port'),
    });
  });

  it('for a certificate that cannot be read ends with exit code 78, and not with plain http', async () => {
    const child = await startFixture(
      `${rackYaml()}services: { power-cycle-daemon: { tls: { cert: no.crt, key: no.key } } }\n`,
    );

    expect(await child.exit()).toBe(78);
    expect(child.lines().at(-1)).toMatchObject({
      msg: 'configuration rejected',
      problems: [expect.stringContaining('no.crt: no such file')],
    });
  });

  it('in the service itself ends with exit code 1', async () => {
    const child = await startFixture(rackYaml().replace('rack4', 'never-starts'));

    expect(await child.exit()).toBe(1);
    expect(child.lines().at(-1)).toMatchObject({ msg: 'start failed', err: { message: 'no way' } });
  });
});

it('--check finds all that is wrong with the secrets, also those of sign-in and TLS, and makes no state directory', async () => {
  const { dir, file, flags, stateDir } =
    await newRack(`${rackYaml()}access: { tokens: { file: secrets/tokens } }
services: { power-cycle-daemon: { tls: { cert: secrets/cert, key: secrets/key } } }
`);
  await mkdir(join(dir, 'secrets'));
  await writeFile(join(dir, 'secrets', 'tokens'), 'tokens: 1');
  await writeFile(join(dir, 'secrets', 'second'), '');

  const child = startChild('fixture-service', [...flags, '--check']);

  expect(await child.exit()).toBe(78);
  expect(child.stdout()).toBe('');
  const problems = [
    `${dir}/secrets/cert: no such file`,
    `${dir}/secrets/tokens: tokens: must be a list`,
    `${dir}/secrets/first: no such file`,
    `${dir}/secrets/second: empty`,
  ];
  for (const problem of problems) expect(child.stderr()).toContain(problem);
  await expect(stat(stateDir)).rejects.toThrow('ENOENT');

  await writeFile(file, rackYaml());
  for (const name of ['first', 'second']) await writeFile(join(dir, 'secrets', name), 'x');
  const again = startChild('fixture-service', [...flags, '--check']);
  expect(await again.exit()).toBe(0);
  expect(again.stdout() + again.stderr()).toBe(
    `${file}: valid for power-cycle-daemon\nnote: rack4 is slow\n`,
  );
});

it('startService leaves nothing open when it has stopped', async () => {
  const { file, stateDir } = await newRack();
  const child = startChild('start-and-stop', [file, stateDir]);

  expect(await child.exit()).toBe(0);
  expect(child.lines().map(({ msg }) => msg)).toEqual([
    'listening',
    'degraded',
    'listening',
    'degraded',
    'listening',
    'degraded',
  ]);
});

it('the example service works, and takes a new rack.yaml while it runs', async () => {
  const withTokens = `${rackYaml()}access: { tokens: { file: tokens.yaml }, anonymousRead: [127.0.0.0/8] }\n`;
  const { dir, file, flags, stateDir } = await newRack(withTokens);
  const token = await newToken(join(dir, 'tokens.yaml'), {
    name: 'ann',
    role: 'operate',
    expiresInDays: 1,
  });
  const child = startChild('example-service', flags);
  const { port, metricsPort } = await child.ports();
  async function put() {
    const answer = await fetch(`http://127.0.0.1:${port}/v1/notes/rpi-1`, {
      method: 'PUT',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ text: 'hot', why: 'felt it' }),
    });
    return answer.status;
  }
  expect(await put()).toBe(404);

  await writeFile(`${file}.new`, `${withTokens}machines: { rpi-1: { kind: rpi } }\n`);
  await rename(`${file}.new`, file);
  await child.line('rack.yaml reloaded');

  expect(await put()).toBe(200);
  expect((await getJson(`http://127.0.0.1:${port}/v1/notes`)).body).toEqual({
    notes: [{ machine: 'rpi-1', text: 'hot' }],
  });
  const { body: openApi } = await getJson(`http://127.0.0.1:${metricsPort}/openapi.json`);
  expect(Object.keys(openApi.paths)).toEqual(
    ['/v1/notes', '/v1/notes/{machine}', '/v1/audit'], // every service has the last one
  );
  const month = new Date().toISOString().slice(0, 7);
  const audit = await readFile(join(stateDir, 'audit', `${month}.jsonl`), 'utf8');
  expect(audit.match(/"outcome":"[^"]*"/g)).toEqual([
    '"outcome":"begun"',
    '"outcome":"rejected: rack.yaml has no machine rpi-1; check its name"',
    '"outcome":"begun"',
    '"outcome":"done"',
  ]);
});
