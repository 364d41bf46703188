/** What is configured in kube/base/{prometheus,alertmanager,…} and its components: does each program accept it, and mean it? */
import { execFileSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { utimes } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { createServer, rootCertificates } from 'node:tls';
import { listen, tempDir } from '@skolo/base/testing';
import { peer, selfSignedCertificate } from '@skolo/simulators';
import { freeTcpPort } from '@skolo/simulators/free-port';
import { alertmanager, startProgram } from '@skolo/simulators/prometheus';
import { describe, expect, it, onTestFinished } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { z } from 'zod';
import { runCommand } from '../../../packages/cli/src/testing/run-command.ts';
import {
  argsOf,
  ask,
  configFor,
  containerOf,
  copyRules,
  kubeFile,
  replaced,
  root,
  start,
  textAt,
  writeFiles,
} from './monitoring-stack.ts';
import { ruleFiles } from './rule-files.ts';

const patiently = { interval: 100 };

const Generators = z.object({
  configMapGenerator: z.array(
    z.object({ name: z.string(), files: z.array(z.string()).default([]) }),
  ),
});

const units = new Map([
  ['s', 1],
  ['m', 60],
  ['h', 3600],
]);

/** Seconds, of a duration in the way of Prometheus with one unit. */
function seconds(duration: string): number {
  const [, number, unit = ''] = /^(\d+)([smh])$/.exec(duration) ?? expect.fail(duration);
  return Number(number) * (units.get(unit) ?? expect.fail(unit));
}

describe('prometheus', () => {
  it('has all rules, and none of their tests', () => {
    const { configMapGenerator } = Generators.parse(
      parse(kubeFile('base/prometheus/kustomization.yaml')),
    );

    const { files = [] } = configMapGenerator.find(({ name }) => name === 'prometheus-rules') ?? {};

    expect(files.toSorted()).toEqual(ruleFiles.map((file) => `rules/${file}`).toSorted());
  });

  it.for(['as it is', 'with remote-write'])(
    '%s: promtool accepts its configuration',
    async (how, context) => {
      const promtool = peer('promtool');
      if (!promtool) return context.skip('promtool is not installed (Debian: prometheus)');
      const dir = await tempDir();
      await copyRules(join(dir, 'rules'));
      await writeFiles(join(dir, 'tokens'), { 'alert-to-pubsub': '' });
      await writeFiles(join(dir, 'remote-write'), { token: '' });
      await writeFiles(join(dir, 'kubernetes'), { token: '', 'ca.crt': rootCertificates[0] ?? '' });
      let text = kubeFile('base/prometheus/prometheus.yml');
      if (how === 'with remote-write') {
        const kubectl = peer('kubectl');
        if (!kubectl) return context.skip('kubectl is not installed');
        text = await withRemoteWrite(kubectl, dir);
        expect(text).toContain("url: 'https://prometheus.example.com/api/v1/write'");
      }
      const local = replaced(text, { '/etc/prometheus/': `${dir}/` });
      await writeFiles(dir, {
        'prometheus.yml': configFor(promtool, local),
      });

      const output = await ask(promtool, 'check', 'config', join(dir, 'prometheus.yml'));

      expect(output).toContain(`SUCCESS: ${ruleFiles.length} rule files found`);
      expect(output).toContain('is valid prometheus config file syntax');
      expect(output).not.toContain('FAILED');
    },
  );
});

/** prometheus.yml as an overlay with this component gets it. */
async function withRemoteWrite(kubectl: string, dir: string): Promise<string> {
  const overlay = join(dir, 'overlay');
  // kustomize reads nothing outside of what it is given, but for other bases.
  const link = join(overlay, 'kube');
  await writeFiles(overlay, {
    'kustomization.yaml': `resources: [kube/base/prometheus, url.yaml]\ncomponents: [kube/components/remote-write]\n`,
    'url.yaml': `apiVersion: v1
kind: ConfigMap
metadata: { name: remote-write, annotations: { config.kubernetes.io/local-config: "true" } }
data: { url: "https://prometheus.example.com/api/v1/write" }
`,
  });
  execFileSync('cp', ['-r', join(root, 'kube'), link]);
  const built = execFileSync(kubectl, ['kustomize', overlay], { encoding: 'utf8' });
  const Objects = z.array(
    z.object({ kind: z.string(), data: z.record(z.string(), z.string()).optional() }),
  );
  const objects = Objects.parse(built.split(/^---$/m).map((text) => parse(text)));
  const [text = ''] = objects.flatMap(({ data }) => data?.['prometheus.yml'] ?? []);
  return text;
}

const Service = z.object({
  kind: z.literal('Service'),
  metadata: z.object({ name: z.string(), namespace: z.string().optional() }),
  spec: z.object({ ports: z.array(z.object({ port: z.number() })) }),
});
const Kustomization = z.object({ namespace: z.string().optional() });

/** `name.namespace.svc:port` of each Service in the folders of kube. */
function servicesOf(folder: string): string[] {
  const files = readdirSync(join(root, 'kube', folder), { recursive: true, encoding: 'utf8' });
  return files
    .filter((file) => file.endsWith('service.yaml'))
    .flatMap((file) => {
      const path = join(folder, file);
      const beside = parse(kubeFile(join(dirname(path), 'kustomization.yaml')));
      const { namespace } = Kustomization.parse(beside);
      return parseAllDocuments(kubeFile(path)).flatMap((document) => {
        const { data } = Service.safeParse(document.toJS());
        const { name, namespace: own = namespace } = data?.metadata ?? {};
        return (data?.spec.ports ?? []).map(({ port }) => `${name}.${own}.svc:${port}`);
      });
    });
}

it.each([
  'base/prometheus/prometheus.yml',
  'base/alertmanager/alertmanager.yml',
  'components/chrony/chrony.json',
  'components/grafana/provisioning/datasources.yaml',
])('the names of Services in %s exist, with their ports', (file) => {
  const services = [...servicesOf('base'), ...servicesOf('components')];

  const names = kubeFile(file).match(/[\w-]+\.skolo(-node)?\.svc:\d+/g) ?? [];

  expect(names).not.toEqual([]);
  expect(services).toEqual(expect.arrayContaining(names));
});

const Route = z.object({
  receiver: z.string(),
  group_wait: z.string().optional(),
  group_interval: z.string().optional(),
  repeat_interval: z.string().optional(),
  matchers: z.array(z.string()).default([]),
});
const Alertmanager = z.object({ route: Route.extend({ routes: z.array(Route) }) });

describe('alertmanager', () => {
  const { route } = Alertmanager.parse(parse(kubeFile('base/alertmanager/alertmanager.yml')));
  const routeOf = (alert: string) =>
    route.routes.find(({ matchers }) => matchers.includes(`alertname="${alert}"`)) ??
    expect.fail(`no route for ${alert}`);

  it('is accepted by amtool', async (context) => {
    const amtool = peer('amtool');
    if (!amtool) return context.skip('amtool is not installed (Debian: prometheus-alertmanager)');

    const output = await ask(
      amtool,
      'check-config',
      join(root, 'kube/base/alertmanager/alertmanager.yml'),
    );

    expect(output).toContain('SUCCESS');
    expect(output).not.toContain('failed');
  });

  it.for([
    ['Watchdog', 'alert-to-pubsub'],
    ['HostHot', 'alert-to-pubsub'],
    ['MachineMissing', 'power-cycle-daemon,alert-to-pubsub'],
    ['MachinesMissing', 'alert-to-pubsub'],
  ] as const)('sends %s to %s', async ([alert, receivers], context) => {
    const amtool = peer('amtool');
    if (!amtool) return context.skip('amtool is not installed (Debian: prometheus-alertmanager)');

    const file = join(root, 'kube/base/alertmanager/alertmanager.yml');
    const output = await ask(
      amtool,
      'config',
      'routes',
      'test',
      `--config.file=${file}`,
      `alertname=${alert}`,
    );

    const [first] = output.split('\n');
    expect(first).toBe(receivers);
  });

  it('inhibits alerts of the same machine and rack', async (context) => {
    const program = peer('alertmanager');
    if (!program) return context.skip('Alertmanager is not installed');
    const { inhibit_rules } = parse(kubeFile('base/alertmanager/alertmanager.yml'));
    const route = { receiver: 'none' };
    const config = { route, receivers: [{ name: 'none' }], inhibit_rules };
    const { url } = await startProgram(program, alertmanager(JSON.stringify(config)));
    const alerts = [
      { alertname: 'HostTooHot', machine: 'rpi-1', rack: 'rack4' },
      { alertname: 'HostHot', machine: 'rpi-1', rack: 'rack4' },
      { alertname: 'HostHot', machine: 'rpi-2', rack: 'rack4' },
      { alertname: 'HostHot', machine: 'rpi-1', rack: 'rack5' },
    ];

    const body = JSON.stringify(alerts.map((labels) => ({ labels })));
    const headers = { 'content-type': 'application/json' };
    await fetch(`${url}/api/v2/alerts`, { method: 'POST', headers, body });

    const inhibited = async () =>
      JSON.parse(await textAt(`${url}/api/v2/alerts?active=false`)).map(
        ({ labels }: { labels: unknown }) => labels,
      );
    await expect.poll(inhibited).toEqual([alerts[1]]);
  });

  it('sends the Watchdog at least twice in the time after which it counts as silent', async () => {
    const { group_interval = '', repeat_interval = '' } = routeOf('Watchdog');

    // Whether to repeat is asked at each flush: as soon as the interval has passed, one flush later at worst.
    const atWorst = seconds(group_interval) + seconds(repeat_interval);
    const { data: defaults } = z
      .object({
        services: z.object({
          'alert-to-pubsub': z.object({ watchdog: z.object({ withinSeconds: z.number() }) }),
        }),
      })
      .safeParse(await rackWithDefaults());
    expect(2 * atWorst).toBeLessThan(
      defaults?.services['alert-to-pubsub'].watchdog.withinSeconds ?? 0,
    );
  });

  it('repeats alerts of missing machines often enough for repair, and every alert before alert-to-pubsub expires it', async () => {
    const missing = routeOf('MachineMissing');
    const rack = z
      .object({ services: z.object({ 'alert-to-pubsub': z.object({ repeatHours: z.number() }) }) })
      .parse(await rackWithDefaults());

    expect(seconds(missing.repeat_interval ?? '')).toBeLessThanOrEqual(300);
    expect(seconds(missing.group_interval ?? '')).toBeLessThanOrEqual(60);
    expect(2 * seconds(route.repeat_interval ?? '')).toBeLessThanOrEqual(
      3600 * rack.services['alert-to-pubsub'].repeatHours,
    );
  });
});

/** rack.yaml of rack4 with every default, as `skolo inventory list` prints it. */
async function rackWithDefaults(): Promise<unknown> {
  const rack = join(root, 'kube/racks/rack4/rack.yaml');
  const { out } = await runCommand(['inventory', 'list', '--rack', rack, '--json']);
  return JSON.parse(out);
}

it('node-exporter accepts the arguments of kube/base, and exports the metrics that rules use', async (context) => {
  const program = peer('node-exporter');
  if (!program)
    return context.skip('node-exporter is not installed (Debian: prometheus-node-exporter)');
  const port = await freeTcpPort();
  const dir = await tempDir();
  const rolledBack = 'node_skolo_push_rolled_back_timestamp_seconds{push="2026-1"} 1.79e+09';
  await writeFiles(join(dir, 'run'), {
    'reboot-required': '',
    'skolo-push.prom': `${rolledBack}\n`,
  });
  await writeFiles(join(dir, 'textfile'), {});
  // The newest list is older than the last run: the mirror has had nothing new, or there is no internet connection.
  const lists = { 'a_-security_InRelease': 1.79e9, 'b_-security_InRelease': 1.7e9 };
  const times = { ...lists, c_updates_InRelease: 1.795e9 };
  await writeFiles(
    join(dir, 'apt/lists'),
    Object.fromEntries(Object.keys(times).map((key) => [key, ''])),
  );
  await writeFiles(join(dir, 'apt/periodic'), { 'upgrade-stamp': '' });
  for (const [name, time] of Object.entries(times))
    await utimes(join(dir, 'apt/lists', name), time, time);
  await utimes(join(dir, 'run/reboot-required'), 1.78e9, 1.78e9);
  await writeFiles(join(dir, 'system'), { 'k3s.service': '' });
  await writeFiles(join(dir, 'cgroup/system.slice/ssh.service'), {
    'memory.current': '4096\n',
    'cpu.stat': 'usage_usec 2000345\nuser_usec 1\n',
  });
  // A name that Prometheus would have to escape, and a unit that has just ended.
  await writeFiles(join(dir, 'cgroup/system.slice/a\\x2db.service'), { 'memory.current': '1\n' });
  await writeFiles(join(dir, 'cgroup/system.slice/gone.service'), {});
  const { command, args } = containerOf('base/node-exporter/daemonset.yaml', 'node-exporter');
  const [shell = '', ...words] = [...command, ...args].map((arg) =>
    arg
      .replace(':9100', `127.0.0.1:${port}`)
      .replace('=/host/', '=/')
      .replace(/=\/host$/, '=/')
      .replaceAll('/host/etc/systemd/system', `${dir}/system`)
      .replace('/host/sys/fs/cgroup', `${dir}/cgroup`)
      .replaceAll(/\/host\/run\/(reboot-|skolo-)/g, `${dir}/run/$1`)
      .replaceAll('/host/var/lib/apt', `${dir}/apt`)
      .replaceAll('/textfile', `${dir}/textfile`)
      .replace('/bin/node_exporter', program)
      // It would outlive the exporter, as it cannot in a container.
      .replace('sleep 60', 'break'),
  );
  expect(words.join(' ')).not.toContain('/host');

  start(shell, words, onTestFinished);

  const url = `http://127.0.0.1:${port}/metrics`;
  await expect.poll(() => textAt(url), patiently).toContain('node_boot_time_seconds');
  const text = await textAt(url);
  for (const collector of [
    'filesystem',
    'stat',
    'time',
    'timex',
    'hwmon',
    'thermal_zone',
    'systemd',
  ]) {
    expect(text).toContain(`node_scrape_collector_success{collector="${collector}"}`);
  }
  expect(text).toContain('\nnode_reboot_required 1\n');
  expect(text).toContain('\nnode_reboot_required_since_timestamp_seconds 1.78e+09\n');
  expect(text).toContain('\nnode_security_updates_timestamp_seconds 1.79e+09\n');
  expect(text).toContain(`\n${rolledBack}\n`);
  const ofUnits = text.split('\n').filter((line) => /^node_unit_\w+\{/.test(line));
  expect(ofUnits).toEqual([
    'node_unit_cpu_seconds_total{unit="ssh.service"} 2.000345',
    'node_unit_memory_bytes{unit="ssh.service"} 4096',
  ]);
  for (const metric of [
    'filesystem_avail_bytes',
    'filesystem_readonly',
    'timex_sync_status',
    'time_seconds',
  ]) {
    expect(text).toContain(`# TYPE node_${metric} gauge`);
  }
});

describe('blackbox-exporter', () => {
  async function probe(query: string, program: string): Promise<string> {
    const port = await freeTcpPort();
    const config = join(root, 'kube/base/blackbox-exporter/blackbox.yml');
    const listen = `127.0.0.1:${port}`;
    start(program, [`--config.file=${config}`, `--web.listen-address=${listen}`], onTestFinished);
    await expect.poll(() => textAt(`http://${listen}/-/healthy`), patiently).not.toBe('');
    return textAt(`http://${listen}/probe?${query}`);
  }

  it('pings', async (context) => {
    const program = peer('blackbox-exporter');
    if (!program)
      return context.skip(
        'blackbox-exporter is not installed (Debian: prometheus-blackbox-exporter)',
      );
    if (!mayPing()) return context.skip('only root may ping here (net.ipv4.ping_group_range)');

    expect(await probe('module=icmp&target=127.0.0.1', program)).toContain('probe_success 1');
  });

  it('opens a port, or finds it closed', async (context) => {
    const program = peer('blackbox-exporter');
    if (!program)
      return context.skip(
        'blackbox-exporter is not installed (Debian: prometheus-blackbox-exporter)',
      );
    const closed = await freeTcpPort();

    expect(await probe(`module=tcp_connect&target=127.0.0.1:${closed}`, program)).toContain(
      'probe_success 0',
    );
  });

  it('reads until when a certificate of another authority is valid', async (context) => {
    const program = peer('blackbox-exporter');
    if (!program)
      return context.skip(
        'blackbox-exporter is not installed (Debian: prometheus-blackbox-exporter)',
      );
    const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const notAfter = new Date('2037-01-26T00:00:00Z');
    const cert = selfSignedCertificate({
      ...{ publicKey, privateKey, commonName: 'rpi-1' },
      ...{ notBefore: new Date('2026-01-26T00:00:00Z'), notAfter },
    });
    const key = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
    const port = await listen(createServer({ key, cert }));

    const text = await probe(`module=tls&target=127.0.0.1:${port}`, program);

    const [, expiry] = /^probe_ssl_earliest_cert_expiry (\S+)$/m.exec(text) ?? [];
    expect(Number(expiry)).toBe(notAfter.getTime() / 1000);
  });
});

/** What kube/base/blackbox-exporter sets for its pod. */
function mayPing(): boolean {
  const isRoot = process.getuid?.() === 0;
  const range = execFileSync('cat', ['/proc/sys/net/ipv4/ping_group_range'], { encoding: 'utf8' });
  const [from = 1, to = 0] = range.trim().split(/\s+/).map(Number);
  const group = process.getgid?.() ?? -1;
  return isRoot || (from <= group && group <= to);
}

/** With -x: the clock of this computer is not touched here. */
async function startChrony(program: string, dir: string, name: string, directives: string[]) {
  const port = await freeTcpPort();
  // It makes the folder itself: one that others may enter is not to its liking.
  const run = join(dir, `${name}-run`);
  const own = [
    ...[`port ${port}`, 'bindaddress 127.0.0.1'],
    ...[`pidfile ${run}/pid`, `bindcmdaddress ${run}/chronyd.sock`],
  ];
  start(program, ['-x', '-d', ...directives, ...own], onTestFinished);
  return { port };
}

/** The sidecar of kube/components/chrony. */
async function exporter(ntpPort: number): Promise<string> {
  const program = peer('node-exporter') ?? expect.fail('no node-exporter');
  const port = await freeTcpPort();
  const args = argsOf('components/chrony/deployment.yaml', 'exporter').map((arg) =>
    arg.replace(':9123', `127.0.0.1:${port}`),
  );
  start(program, [...args, `--collector.ntp.server-port=${ntpPort}`], onTestFinished);
  return `http://127.0.0.1:${port}/metrics`;
}

it('chrony serves the clock of the jumphost without an internet connection, and that of its servers with one; the metrics show which', async (context) => {
  const program = peer('chronyd');
  if (!program) return context.skip('chronyd is not installed (Debian: chrony)');
  if (!peer('node-exporter')) return context.skip('node-exporter is not installed');
  if (process.getuid?.() !== 0) return context.skip('chronyd starts as root only');
  const dir = await tempDir();
  const uplink = await startChrony(program, dir, 'uplink', [
    'user root',
    'cmdport 0',
    'allow 127.0.0.1',
    'local stratum 3',
  ]);
  const config = (server: string) =>
    replaced(kubeFile('components/chrony/chrony.conf'), {
      'pool pool.ntp.org iburst maxsources 4': server,
      '/var/lib/skolo/chrony/': `${dir}/`,
    });
  const [nowhere, asking] = [config(''), config(`server 127.0.0.1 port ${uplink.port} iburst`)];
  await writeFiles(dir, { 'nowhere.conf': nowhere, 'asking.conf': asking });

  const alone = await startChrony(program, dir, 'alone', [`include ${dir}/nowhere.conf`]);
  const synchronised = await startChrony(program, dir, 'asking', [`include ${dir}/asking.conf`]);
  const silent = await freeTcpPort();

  const [ofAlone, ofSynchronised, ofNobody] = await Promise.all(
    [alone.port, synchronised.port, silent].map(exporter),
  );
  await expect.poll(() => textAt(ofAlone ?? ''), patiently).toMatch(/^node_ntp_stratum 10$/m);
  await expect.poll(() => textAt(ofSynchronised ?? ''), patiently).toMatch(/^node_ntp_stratum 4$/m);
  const success = (is: 0 | 1) => `node_scrape_collector_success{collector="ntp"} ${is}`;
  await expect.poll(() => textAt(ofNobody ?? ''), patiently).toContain(success(0));
  expect(await textAt(ofSynchronised ?? '')).toContain(success(1));
});
