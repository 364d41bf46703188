/** Alertmanager itself, as its own process, configured to post to a daemon; and amtool, as people use it. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { alertmanager, startProgram } from '@skolo/simulators/prometheus';

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
  const files = alertmanager(configuration(daemon.url), { token: daemon.token });
  const { url } = await startProgram(programs.alertmanager, files);

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
