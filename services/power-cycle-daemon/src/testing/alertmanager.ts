/** Alertmanager itself, as its own process, configured to post to a daemon; and amtool, as people use it. */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { freeTcpPort } from '@skolo/simulators/free-port';
import { onTestFinished } from 'vitest';
import { waitUntil } from './wait-until.ts';

const run = promisify(execFile);

export interface Alertmanager {
  /** Fires an alert that began the given number of minutes ago. */
  fire: (machine: string, minutes: number) => Promise<void>;
  resolve: (machine: string) => Promise<void>;
  /** Returns the silence's ID. */
  silence: (machine: string) => Promise<string>;
  expire: (silence: string) => Promise<void>;
}

/** Repeats within a second what production repeats within minutes. */
function configuration(daemonUrl: string): string {
  return `
route:
  receiver: nobody
  routes:
    - receiver: power-cycle-daemon
      matchers: [alertname="MachineMissing"]
      group_by: [alertname]
      group_wait: 100ms
      group_interval: 300ms
      repeat_interval: 300ms
receivers:
  - name: nobody
  - name: power-cycle-daemon
    webhook_configs:
      - url: ${daemonUrl}/v1/alerts
        http_config: { authorization: { credentials_file: token } }
`;
}

export async function startAlertmanager(
  programs: { alertmanager: string; amtool: string },
  daemon: { url: string; token: string },
): Promise<Alertmanager> {
  const dir = await mkdtemp(join(tmpdir(), 'skolo-alertmanager-'));
  const config = join(dir, 'alertmanager.yml');
  await writeFile(config, configuration(daemon.url));
  await writeFile(join(dir, 'token'), daemon.token, { mode: 0o600 });
  const url = `http://127.0.0.1:${await freeTcpPort()}`;
  const flags = {
    'config.file': config,
    'storage.path': dir,
    'web.listen-address': new URL(url).host,
    // Standalone: no port for peers.
    'cluster.listen-address': '',
  };
  const args = Object.entries(flags).map(([name, value]) => `--${name}=${value}`);
  const child = spawn(programs.alertmanager, args, { stdio: 'ignore' });
  const exited = once(child, 'exit');
  onTestFinished(async () => {
    child.kill('SIGTERM');
    await exited;
    await rm(dir, { recursive: true, force: true });
  });
  await waitUntil(async () => {
    const response = await fetch(`${url}/-/ready`).catch(() => undefined);
    return response?.ok || undefined;
  });

  async function amtool(...words: string[]): Promise<string> {
    const { stdout } = await run(programs.amtool, [`--alertmanager.url=${url}`, ...words]);
    return stdout.trim();
  }
  const add = (machine: string, ...more: string[]) =>
    amtool('alert', 'add', 'MachineMissing', `machine=${machine}`, ...more);
  return {
    async fire(machine, minutes) {
      const start = new Date(Date.now() - minutes * 60_000).toISOString();
      await add(machine, `--start=${start}`);
    },
    async resolve(machine) {
      await add(machine, `--end=${new Date().toISOString()}`);
    },
    silence: (machine) =>
      amtool('silence', 'add', '--author=ann', '--comment=new fan', `machine=${machine}`),
    async expire(silence) {
      await amtool('silence', 'expire', silence);
    },
  };
}
