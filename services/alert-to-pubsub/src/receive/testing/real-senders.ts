/** Prometheus, Alertmanager and amtool, as processes of their own, with their files in a folder of the test's. */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished } from 'vitest';

/** What a program said, and how it ended. */
export interface Ended {
  status: number | null;
  stdout: string;
  stderr: string;
}

export async function runProgram(program: string, args: string[]): Promise<Ended> {
  return new Promise((resolve) => {
    const child = execFile(program, args, { timeout: 30_000 }, (_error, stdout, stderr) => {
      resolve({ status: child.exitCode, stdout, stderr });
    });
  });
}

/** A port that nobody listens at now. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new TypeError('not a TCP server');
  return address.port;
}

async function start(
  program: string,
  files: Record<string, string>,
  flagsIn: (dir: string) => Record<string, string | undefined>,
): Promise<{ url: string; dir: string }> {
  const dir = await mkdtemp(join(tmpdir(), 'skolo-sender-'));
  for (const [name, text] of Object.entries(files)) {
    await writeFile(join(dir, name), text, { mode: 0o600 });
  }
  const url = `http://127.0.0.1:${await freePort()}`;
  const flags = { ...flagsIn(dir), 'web.listen-address': new URL(url).host };
  const args = Object.entries(flags).map(([name, value]) =>
    value === undefined ? `--${name}` : `--${name}=${value}`,
  );
  const child = spawn(program, args, { stdio: 'ignore' });
  const exited = once(child, 'exit');
  onTestFinished(async () => {
    child.kill('SIGTERM');
    await exited;
    await rm(dir, { recursive: true, force: true });
  });
  await expect
    .poll(async () => (await fetch(`${url}/-/ready`).catch(() => undefined))?.ok)
    .toBe(true);
  return { url, dir };
}

/** Posts to the webhook at `url`; `webhook` are further lines of its configuration. */
export async function startAlertmanager(
  program: string,
  url: string,
  { webhook = '', files = {} }: { webhook?: string; files?: Record<string, string> } = {},
): Promise<string> {
  const config = `
route: { receiver: skolo, group_by: [team], group_wait: 200ms, group_interval: 300ms, repeat_interval: 1h }
receivers:
  - name: skolo
    webhook_configs:
      - url: ${url}/webhook
${webhook}
`;
  const { url: own } = await start(program, { 'config.yml': config, ...files }, (dir) => ({
    'config.file': join(dir, 'config.yml'),
    'storage.path': dir,
    // Alone: no port for others of its kind.
    'cluster.listen-address': '',
  }));
  return own;
}

/** Fires an alert at an Alertmanager at `url`. `alerting` are further settings of that. */
export async function startPrometheus(
  program: string,
  url: string,
  { alerting = '', files = {} }: { alerting?: string; files?: Record<string, string> },
): Promise<{ end: () => Promise<void> }> {
  const config = `
global: { evaluation_interval: 1s, external_labels: { cluster: rack4 } }
rule_files: [rules.yml]
alerting:
  alertmanagers: [{ static_configs: [{ targets: ['${new URL(url).host}'] }]${alerting} }]
`;
  const all = { 'config.yml': config, 'rules.yml': rules('vector(1)'), ...files };
  const own = await start(program, all, (dir) => ({
    'config.file': join(dir, 'config.yml'),
    'storage.tsdb.path': join(dir, 'data'),
    'rules.alert.resend-delay': '1s',
    'web.enable-lifecycle': undefined,
  }));
  return {
    async end() {
      await writeFile(join(own.dir, 'rules.yml'), rules('vector(1) < 0'));
      await fetch(`${own.url}/-/reload`, { method: 'POST' });
    },
  };
}

function rules(expression: string): string {
  return `
groups:
  - name: test
    rules:
      - { alert: Fires, expr: '${expression}', labels: { severity: critical }, annotations: { summary: 'is {{ $value }}' } }
`;
}
