import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { tempDir } from '@skolo/base/testing';
import { peer } from '@skolo/simulators';
import { freeTcpPort } from '@skolo/simulators/free-port';
import { describe, expect, it, onTestFinished } from 'vitest';
import { start, textAt } from './monitoring-stack.ts';
import { metricsAskedFor, metricsOf, ruleFiles, rulesFolder, rulesIn } from './rule-files.ts';
import { startService } from './service-process.ts';

/** A few seconds, on a computer that does nothing else. */
const patiently = { timeout: 45_000, interval: 100 };

/** The names in the first column of the table in README.md: names that are not ours. */
function metricsOfOthers(): string[] {
  const text = readFileSync(`${rulesFolder}/README.md`, 'utf8');
  const table = text.slice(text.indexOf('## Metrics from other programs'));
  const cells = [...table.matchAll(/^\| (`[^|]*) \|/gm)].map(([, cell = '']) => cell);
  return cells.flatMap((cell) => [...cell.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name));
}

/** Names of the metrics that a process exports. */
async function exported(port: number): Promise<string[]> {
  const text = await textAt(`http://127.0.0.1:${port}/metrics`);
  return [...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name = '']) => name);
}

describe('metrics in alert rules', () => {
  it('are found', () => {
    const expression = `sum by (job, le) (rate(a_b:c{d="e{", f=~"g"}[5m] offset 1h)) > 0.5e9
      and on (h) group_left (i) predict_linear(j[1h:30s], 86400) < 4 * k unless l == 0`;

    expect(metricsOf(expression)).toEqual(['a_b:c', 'j', 'k', 'l']);
  });

  it('are exported by a service, recorded by a rule, or listed in README.md', () => {
    const recorded = ruleFiles
      .flatMap(rulesIn)
      .flatMap((rule) => ('record' in rule ? [rule.record] : []));
    const asked = metricsAskedFor().filter((name) => !recorded.includes(name));

    const others = asked.filter((name) => !name.startsWith('skolo_'));
    expect(others).toEqual(metricsOfOthers().toSorted());
    expect(asked.length).toBeGreaterThan(others.length);
  });

  it('of Prometheus and Alertmanager are those that these really export', async (context) => {
    const [prometheus, alertmanager] = [peer('prometheus'), peer('alertmanager')];
    if (!prometheus || !alertmanager) {
      return context.skip('prometheus or prometheus-alertmanager is not installed');
    }
    const dir = await tempDir();
    const ports = { prometheus: await freeTcpPort(), alertmanager: await freeTcpPort() };
    const alertmanagerAt = `127.0.0.1:${ports.alertmanager}`;
    await writeFile(
      join(dir, 'prometheus.yml'),
      `global: { evaluation_interval: 1s }
rule_files: ['${rulesFolder}/prometheus.yaml']
alerting: { alertmanagers: [{ static_configs: [{ targets: ['${alertmanagerAt}'] }] }] }
`,
    );
    await writeFile(
      join(dir, 'alertmanager.yml'),
      `route: { receiver: webhook }
receivers: [{ name: webhook, webhook_configs: [{ url: 'http://127.0.0.1:1/' }] }]
`,
    );

    const ofAlertmanager = [
      `--config.file=${join(dir, 'alertmanager.yml')}`,
      `--storage.path=${join(dir, 'alertmanager')}`,
      ...[`--web.listen-address=${alertmanagerAt}`, '--cluster.listen-address='],
    ];
    start(alertmanager, ofAlertmanager, onTestFinished);
    const ofPrometheus = [
      `--config.file=${join(dir, 'prometheus.yml')}`,
      `--storage.tsdb.path=${join(dir, 'prometheus')}`,
      `--web.listen-address=127.0.0.1:${ports.prometheus}`,
    ];
    start(prometheus, ofPrometheus, onTestFinished);

    const theirs = metricsAskedFor().filter((name) =>
      /^(prometheus|alertmanager|process)_/.test(name),
    );
    expect(theirs.length).toBeGreaterThan(10);
    await expect
      .poll(async () => {
        const there = [
          ...(await exported(ports.prometheus)),
          ...(await exported(ports.alertmanager)),
        ];
        return theirs.filter((name) => !there.includes(name));
      }, patiently)
      .toEqual([]);
  });

  it('of agents are those that an agent really exports', async () => {
    const dir = await tempDir();
    const nowhere = 'http://127.0.0.1:1';
    await writeFile(
      join(dir, 'rack.yaml'),
      `rack: rack4
jumphost: { name: jumphost, address: 127.0.0.1 }
machines:
  rpi-1: { kind: rpi, address: 127.0.1.1 }
services:
  metadata-server: { url: "${nowhere}" }
  power-cycle-daemon: { url: "${nowhere}" }
  swarming-client: { server: "${nowhere}", botDir: ${join(dir, 'bot')} }
`,
    );

    const { metricsUrl } = await startService('swarming-client', [
      ...['--machine', 'rpi-1', '--rack', join(dir, 'rack.yaml'), '--state-dir', dir],
      ...['--metadata-url', nowhere, '--hook-port', '0'],
    ]);

    // Of a histogram, Prometheus makes other names.
    const asked = ruleFiles
      .filter((file) => file === 'swarming.yaml')
      .flatMap(rulesIn)
      .flatMap(({ expr }) => metricsOf(expr))
      .filter((name) => name.startsWith('skolo_'))
      .map((name) => name.replace(/_bucket$/, ''));
    const there = await exported(Number(new URL(metricsUrl).port));
    expect(asked.length).toBeGreaterThan(8);
    expect(asked.filter((name) => !there.includes(name))).toEqual([]);
  });
});
