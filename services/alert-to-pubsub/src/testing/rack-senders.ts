/** A rack's Prometheus and Alertmanager, configured as in README.md, but faster. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { alertmanager, type Program, startProgram } from '@skolo/simulators/prometheus';
import type { Lab } from './lab.ts';
import { yamlOfReadme } from './readme.ts';

/** The address of alert-to-pubsub in README.md. */
const readmeHost = '192.168.1.8:8001';
export const password = 'canary-of-alertmanager';
export const token = 'canary-of-prometheus';

/** The service's settings that README.md's configurations of Prometheus and Alertmanager sign in with. */
export const signedIn =
  'auth: { username: alertmanager, password: { file: password }, bearer: { file: token } }';

/** Credentials of whoever signs in. */
export async function writeSecrets({ dir }: Pick<Lab, 'dir'>): Promise<void> {
  await writeFile(join(dir, 'password'), password, { mode: 0o600 });
  await writeFile(join(dir, 'token'), token, { mode: 0o600 });
}

const secrets = { 'skolo-password': password, 'skolo-token': token };

interface RackPrometheus {
  /** Alert rules, without the indentation of their list marks. */
  rules: string;
  /** HOST:PORT of its scrape target. */
  scrapes: string;
  /** Where it sends alerts. */
  alerting: string;
  /** For one of two that watch the same targets. */
  replica?: string;
  /** How often it sends a firing alert again; the alert is valid for four times as long. */
  resend?: string;
}

/** README.md's configuration, for a lab; and for an Alertmanager, too, if one is given. */
export function alertingOf(lab: Lab, between?: Program): string {
  const ours = yamlOfReadme('alertmanagers:').replace(readmeHost, new URL(lab.url).host);
  return between === undefined ? ours : ours.replace('  alertmanagers:\n', `$&${to(between)}`);
}

/** Only an Alertmanager. */
export function alertingAt(sender: Program): string {
  return `alerting:\n  alertmanagers:\n${to(sender)}`;
}

function to({ url }: Program): string {
  return `    - static_configs: [{ targets: ["${new URL(url).host}"] }]\n`;
}

export async function startPrometheus(program: string, rack: RackPrometheus): Promise<Program> {
  const { replica, resend = '15s' } = rack;
  const labels = replica === undefined ? '{}' : `{ prometheus_replica: ${replica} }`;
  const config = `
global: { scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s, external_labels: ${labels} }
scrape_configs: [{ job_name: test, static_configs: [{ targets: ['${rack.scrapes}'] }] }]
rule_files: [rules.yml]
${rack.alerting}`;
  const rules = `groups: [{ name: test, rules: [${rack.rules}] }]\n`;
  return startProgram(program, {
    files: { 'config.yml': config, 'rules.yml': rules, ...secrets },
    flags: (dir) => ({
      'config.file': join(dir, 'config.yml'),
      'storage.tsdb.path': join(dir, 'data'),
      'rules.alert.resend-delay': resend,
    }),
  });
}

/** README.md's Alertmanager, which does not wait for others of a group. */
export async function startAlertmanager(
  program: string,
  url: string,
  edit: (config: string) => string = (config) => config,
): Promise<Program> {
  const config = yamlOfReadme('webhook_configs:')
    .replace(`http://${readmeHost}`, url)
    .replaceAll(/(group_wait|group_interval): \S+/g, '$1: 300ms');
  return startProgram(program, alertmanager(edit(config), secrets));
}
