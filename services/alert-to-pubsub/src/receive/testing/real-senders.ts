/** Prometheus and Alertmanager, configured to send to the receivers. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { alertmanager, startProgram } from '@skolo/simulators/prometheus';

/** Posts to the webhook at `url`; `webhook` contains further lines of its configuration. */
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
  return (await startProgram(program, alertmanager(config, files))).url;
}

/** Fires an alert at an Alertmanager at `url`. `alerting` contains further settings for it. */
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
  const own = await startProgram(program, {
    files: { 'config.yml': config, 'rules.yml': rules('vector(1)'), ...files },
    flags: (dir) => ({
      'config.file': join(dir, 'config.yml'),
      'storage.tsdb.path': join(dir, 'data'),
      // Four times as long, an alert is valid.
      'rules.alert.resend-delay': '15s',
      'web.enable-lifecycle': undefined,
    }),
  });
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
