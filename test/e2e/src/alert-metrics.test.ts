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
const patiently = { interval: 100 };

/** Exported by Debian's Prometheus 2.42, Alertmanager 0.25 and node-exporter 1.5, or by a real API server. */
const seenOfOthers = [
  'alertmanager_config_last_reload_successful',
  'alertmanager_notifications_failed_total',
  'apiserver_request_sli_duration_seconds_bucket',
  'apiserver_request_sli_duration_seconds_count',
  'apiserver_request_total',
  'node_boot_time_seconds',
  'node_filesystem_avail_bytes',
  'node_filesystem_device_error',
  'node_filesystem_files',
  'node_filesystem_files_free',
  'node_filesystem_readonly',
  'node_filesystem_size_bytes',
  'node_ntp_stratum', // deprecated in node-exporter 1.11
  'node_reboot_required_since_timestamp_seconds',
  'node_scrape_collector_success',
  'node_security_updates_timestamp_seconds',
  'node_time_seconds',
  'node_timex_maxerror_seconds',
  'node_timex_sync_status',
  'probe_ssl_earliest_cert_expiry',
  'process_start_time_seconds',
  'prometheus_config_last_reload_successful',
  'prometheus_notifications_alertmanagers_discovered',
  'prometheus_notifications_dropped_total',
  'prometheus_notifications_errors_total',
  'prometheus_rule_evaluation_failures_total',
  'prometheus_rule_group_interval_seconds',
  'prometheus_rule_group_iterations_missed_total',
  'prometheus_rule_group_last_evaluation_timestamp_seconds',
  'prometheus_tsdb_compactions_failed_total',
  'prometheus_tsdb_wal_corruptions_total',
  'prometheus_tsdb_wal_writes_failed_total',
  'up',
];

/** Only according to documentation. */
const unseenOfOthers = [
  'apiserver_storage_size_bytes', // of etcd, seen; of SQLite, not
  'container_oom_events_total',
  'k3s_certificate_expiration_seconds', // from k3s 1.27 on
  'node_hwmon_in_lcrit_alarm_volts', // 1 if a Pi's voltage (chip `raspberrypi_hwmon`, from Linux 4.19 on) was too low in the last two seconds
  'node_hwmon_temp_celsius',
  'node_hwmon_temp_crit_celsius',
  'node_skolo_push_rolled_back_timestamp_seconds',
  'node_systemd_service_restart_total',
  'node_systemd_unit_state',
  'node_systemd_units',
  'node_thermal_zone_temp', // on a Pi `cpu-thermal` or, with other kernels, `cpu_thermal`
  'probe_success',
];

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

  it('are exported by a service, recorded by a rule, or listed above', () => {
    const recorded = ruleFiles
      .flatMap(rulesIn)
      .flatMap((rule) => ('record' in rule ? [rule.record] : []));
    const asked = metricsAskedFor().filter((name) => !recorded.includes(name));

    const others = asked.filter((name) => !name.startsWith('skolo_'));
    expect(others).toEqual([...seenOfOthers, ...unseenOfOthers].toSorted());
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
