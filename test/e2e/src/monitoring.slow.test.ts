/**
 * Monitoring of a rack, as a whole: the demo's rack with all five services, and Prometheus, Alertmanager and exporters with the
 * configuration of kube/base and the targets of `skolo rack render`. Only addresses and intervals are of this test.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { rootCertificates } from 'node:tls';
import { cleanUps, tempDir } from '@skolo/base/testing';
import { healthPath, healthQueries, readHealth } from '@skolo/fleet';
import { defaultTokenFolder } from '@skolo/rack/light';
import { peer } from '@skolo/simulators';
import { freeTcpPort } from '@skolo/simulators/free-port';
import { beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { runCommand } from '../../../packages/cli/src/testing/run-command.ts';
import { declaredLabels, labelsIn, metricsIn } from './dashboard-queries.ts';
import {
  argsOf,
  configFor,
  copyRules,
  knowsAlertRelabelling,
  kubeFile,
  replaced,
  root,
  start,
  textAt,
  writeFiles,
} from './monitoring-stack.ts';

const programs = {
  prometheus: peer('prometheus'),
  alertmanager: peer('alertmanager'),
  blackbox: peer('blackbox-exporter'),
  node: peer('node-exporter'),
  // The demo starts an agent only where a bot runs.
  python: peer('python3'),
};
const missing = Object.entries(programs).flatMap(([name, path]) => (path ? [] : [name]));
const why = `not installed: ${missing.join(', ')}`;

const patiently = { interval: 200 };

const atTheEnd = cleanUps();

let prometheusUrl = '';
let alertmanagerUrl = '';
/** Where the services of the demo are: url, and the port of its metrics. */
let services = new Map<string, { url: string; metrics: string }>();

beforeAll(async () => {
  if (missing.length > 0) return;
  const dir = await tempDir(atTheEnd);
  await writeOneShelf(join(dir, 'demo'));
  services = await startDemo(join(dir, 'demo'));
  await startMonitoring(dir, join(dir, 'demo'));
});

/** All services of a rack, and everything that they connect to, as `npm start` runs them. */
async function startDemo(dir: string): Promise<typeof services> {
  const main = join(root, 'test/demo/src/main.ts');
  const demo = spawn(process.execPath, [main, '--dir', dir], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(demo, 'close');
  const tokens = defaultTokenFolder(join(dir, 'state/metadata-server'));
  atTheEnd(() => rm(tokens, { recursive: true, force: true }));
  atTheEnd(async () => {
    demo.kill('SIGTERM');
    expect(await ended).toEqual([0, null]);
  });
  const output = await new Promise<string>((resolve, reject) => {
    let output = '';
    demo.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      if (output.includes('Ctrl-C ends all of it')) resolve(output);
    });
    demo.once('close', () => reject(new Error(`the demo has ended:\n${output}`)));
  });
  const lines = output.matchAll(/^ {2}([a-z-]+) +(http:\S+) +http:\/\/(\S+)\/metrics$/gm);
  return new Map(
    [...lines].map(([, name = '', url = '', metrics = '']) => [name, { url, metrics }]),
  );
}

/**
 * The rack of the demo, as if a person had edited it before: more machines and switches of the same kind would only be
 * simulated and scraped.
 */
async function writeOneShelf(dir: string): Promise<void> {
  const others = /^ {2}(?:skia-rpi2-demo-shelf[23]-\S+|switch-\[2-3\]):\n(?: {4}.*\n)+/gm;
  const text = await readFile(join(root, 'racks/demo/rack.yaml'), 'utf8');
  await writeFiles(dir, {
    'rack.yaml': text.replaceAll(others, ''),
    '.rack.yaml.written': 'another one',
  });
}

async function startMonitoring(dir: string, demo: string): Promise<void> {
  const { prometheus = '', alertmanager = '', blackbox = '', node = '' } = programs;
  const port = async () => `127.0.0.1:${await freeTcpPort()}`;
  const [ofPrometheus, ofAlertmanager, ofBlackbox] = [await port(), await port(), await port()];
  const nodePort = await freeTcpPort();
  prometheusUrl = `http://${ofPrometheus}`;
  alertmanagerUrl = `http://${ofAlertmanager}`;
  const service = (name: string) => services.get(name) ?? expect.fail(`no ${name} in the demo`);
  const host = (name: string) => new URL(service(name).url).host;
  const jumphost = new URL(service('machine-state').url).hostname;

  const template = kubeFile('base/prometheus/prometheus.yml');
  const metrics = template.matchAll(/"(([a-z-]+?)(?:-metrics)?\.skolo(?:-node)?\.svc:200\d\d)"/g);
  const config = replaced(template, {
    ...Object.fromEntries(
      [...metrics].map(([, target, name = '']) => [target, service(name).metrics]),
    ),
    '/etc/prometheus/': `${dir}/`,
    'scrape_interval: 15s': 'scrape_interval: 5s',
    'scrape_interval: 1m': 'scrape_interval: 5s',
    // Each target has its own second in the hour.
    'scrape_interval: 1h': 'scrape_interval: 5s',
    '"(.+):9100"': `"(.+):${nodePort}"`,
    'scrape_timeout: 10s': 'scrape_timeout: 5s',
    'evaluation_interval: 15s': 'evaluation_interval: 1s',
    'alertmanager.skolo.svc:9093': ofAlertmanager,
    'alert-to-pubsub.skolo.svc:8001': host('alert-to-pubsub'),
    'blackbox-exporter.skolo.svc:9115': ofBlackbox,
    'localhost:9090': ofPrometheus,
  });
  await copyRules(join(dir, 'rules'));
  await writeFiles(join(dir, 'rules'), {
    'test.yaml': `groups:
  - name: test
    rules: [{ alert: PrometheusIsTested, expr: vector(1), labels: { severity: info } }]
`,
  });
  await writeFiles(join(dir, 'targets'), await targetsOf(demo, nodePort));
  await writeFiles(join(dir, 'extra-targets'), {
    'chrony.json': replaced(kubeFile('components/chrony/chrony.json'), {
      'chrony.skolo-node.svc:9123': `${jumphost}:${nodePort}`,
    }),
  });
  // None is wanted by alert-to-pubsub here, as without its Secret.
  const operator = await readFile(join(demo, 'secrets/operator-token'), 'utf8');
  await writeFiles(join(dir, 'tokens'), { 'alert-to-pubsub': '', 'power-cycle-daemon': operator });
  // The demo has no k3s: k3s-metrics.test.ts has its API server.
  await writeFiles(join(dir, 'kubernetes'), { token: '', 'ca.crt': rootCertificates[0] ?? '' });
  await writeFiles(dir, {
    'prometheus.yml': configFor(prometheus, config),
    'alertmanager.yml': replaced(kubeFile('base/alertmanager/alertmanager.yml'), {
      '/etc/alertmanager/': `${dir}/`,
      'alert-to-pubsub.skolo.svc:8001': host('alert-to-pubsub'),
      'power-cycle-daemon.skolo.svc:9210': host('power-cycle-daemon'),
      'group_wait: 5s': 'group_wait: 100ms',
    }),
  });

  await writeFiles(join(dir, 'textfile'), { 'reboot.prom': 'node_reboot_required 1\n' });
  // Two computers with a node-exporter: the jumphost, and the machine with an agent.
  for (const address of [jumphost, jumphost.replace(/0\.1$/, '1.1')]) {
    const args = [`--collector.textfile.directory=${dir}/textfile`];
    start(node, [`--web.listen-address=${address}:${nodePort}`, ...args], atTheEnd);
  }
  const modules = join(root, 'kube/base/blackbox-exporter/blackbox.yml');
  start(blackbox, [`--config.file=${modules}`, `--web.listen-address=${ofBlackbox}`], atTheEnd);
  start(
    alertmanager,
    [
      ...argsOf('base/alertmanager/deployment.yaml', 'alertmanager').map((arg) =>
        arg.replace('/etc/alertmanager/config', dir).replace('/var/lib/skolo/', `${dir}/data-`),
      ),
      `--web.listen-address=${ofAlertmanager}`,
    ],
    atTheEnd,
  );
  start(
    prometheus,
    [
      ...argsOf('base/prometheus/deployment.yaml', 'prometheus').map((arg) =>
        arg.replace('/etc/prometheus/config', dir).replace('/var/lib/skolo/', `${dir}/data-`),
      ),
      `--web.listen-address=${ofPrometheus}`,
      // What is lost before Alertmanager is known is sent again at once.
      '--rules.alert.resend-delay=1s',
      // What the newer one of kube/base always does.
      '--enable-feature=expand-external-labels',
    ],
    atTheEnd,
    { SKOLO_RACK_NAME: 'demo' },
  );
}

const TargetsMap = z.object({ data: z.record(z.string(), z.string()) });

/** What `skolo rack render` makes of the demo's rack.yaml. */
async function targetsOf(demo: string, nodePort: number): Promise<Record<string, string>> {
  const args = ['rack', 'render', '--rack', join(demo, 'rack.yaml'), '--to', join(demo, 'derived')];
  expect(await runCommand(args)).toMatchObject({ exitCode: 0 });
  const text = readFileSync(join(demo, 'derived/prometheus-targets.yaml'), 'utf8');
  const { data } = TargetsMap.parse(parse(text));
  const nodes = ['node.json', 'node-of-jumphost.json'].map((file) => [
    file,
    replaced(data[file] ?? '', { ':9100': `:${nodePort}` }),
  ]);
  return { ...data, ...Object.fromEntries(nodes) };
}

const Result = z.object({
  status: z.literal('success'),
  data: z.object({
    resultType: z.enum(['vector', 'scalar']),
    result: z.array(
      z.object({
        metric: z.record(z.string(), z.string()),
        value: z.tuple([z.number(), z.string()]),
      }),
    ),
  }),
});

/** The labels and values that a query has as its answer now. */
async function query(expr: string) {
  const text = await textAt(
    `${prometheusUrl}/api/v1/query?${new URLSearchParams({ query: expr })}`,
  );
  const answer: unknown = JSON.parse(text || '{}');
  const { data, error } = Result.safeParse(answer);
  if (error) throw new Error(`${expr}: ${text}`);
  return data.data.result.map(({ metric, value: [, value] }) => ({ labels: metric, value }));
}

const machines = ['skia-e-linux-01', ...[1, 2, 3, 4].map((n) => `skia-rpi2-demo-shelf1-00${n}`)];

describe('prometheus', () => {
  it('has the jobs and labels that the rules expect, and no others', async (context) => {
    if (missing.length > 0) return context.skip(why);
    const targets = async () =>
      (await query('count by (job, machine, device) (up)')).map(
        ({ labels: { job = '', machine = '', device = '' } }) => `${job} ${machine}${device}`,
      );
    const single = [
      ...[...services.keys()].filter((name) => name !== 'swarming-client'),
      'prometheus',
      'alertmanager',
      'chrony',
    ];

    await expect
      .poll(async () => (await targets()).toSorted(), patiently)
      .toEqual(
        [
          ...single.map((job) => `${job} `),
          ...['k3s', 'containers'].map((job) => `${job} jumphost-demo`),
          ...['jumphost-demo', ...machines].map((name) => `node ${name}`),
          ...['swarming-client', 'kubelet-certificates'].flatMap((job) =>
            machines.map((name) => `${job} ${name}`),
          ),
          ...[...machines, 'pdu-1', 'router', 'switch-1'].map((name) => `ping ${name}`),
        ].toSorted(),
      );
  });

  it('scrapes every running service as up', async (context) => {
    if (missing.length > 0) return context.skip(why);
    const down = () =>
      query('count by (job) (up{job!~"node|swarming-client|k3s|containers"} == 0)');
    await expect.poll(down, patiently).toEqual([]);
    const seen = () => query('machine:seen:max3m == 1');
    await expect.poll(async () => (await seen()).length, patiently).toBe(machines.length + 1);
    const agents = () => query('up{job="swarming-client"} == 1');
    await expect.poll(async () => (await agents()).length, patiently).toBe(1);
  });
});

const Known = z.object({
  alerts: z.array(z.object({ labels: z.record(z.string(), z.string()), endpoint: z.string() })),
});

describe('alerts', () => {
  /** What alert-to-pubsub knows of an alert. */
  async function known(alert: string) {
    const { url = '' } = services.get('alert-to-pubsub') ?? {};
    const { alerts } = Known.parse(
      JSON.parse((await textAt(`${url}/v1/alerts`)) || '{"alerts":[]}'),
    );
    return alerts.filter(({ labels }) => labels.alertname === alert);
  }
  /** At which it was last received. */
  const endpointOf = async (alert: string) => (await known(alert))[0]?.endpoint;
  const knownText = async (alert: string) => JSON.stringify(await known(alert));

  async function raise(labels: Record<string, string>): Promise<void> {
    const answer = await fetch(`${alertmanagerUrl}/api/v2/alerts`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify([{ labels }]),
    });
    expect(answer.status).toBe(200);
  }

  it('the Watchdog comes through Alertmanager to alert-to-pubsub and keeps its heartbeat healthy', async (context) => {
    if (missing.length > 0) return context.skip(why);
    await expect.poll(() => knownText('Watchdog'), patiently).toContain('"rack":"demo"');
    await expect
      .poll(() => query('skolo_alerts_heartbeat_healthy == 1'), patiently)
      .toHaveLength(1);
    expect(await endpointOf('Watchdog')).toBe('webhook');
  });

  it('Prometheus sends alerts about alerting itself directly, too', async (context) => {
    if (missing.length > 0) return context.skip(why);
    if (!knowsAlertRelabelling(programs.prometheus ?? '')) {
      return context.skip(
        'Prometheus is older than 2.51, and cannot select alerts for an Alertmanager',
      );
    }

    await expect.poll(() => endpointOf('PrometheusIsTested'), patiently).toBe('v2');
    expect(await endpointOf('Watchdog')).toBe('webhook');
  });

  it('one of a missing machine goes to the power-cycle daemon, too, which accepts it', async (context) => {
    if (missing.length > 0) return context.skip(why);
    await raise({
      alertname: 'MachineMissing',
      severity: 'critical',
      machine: 'skia-rpi2-demo-shelf1-004',
    });

    await expect
      .poll(() => knownText('MachineMissing'), patiently)
      .toContain('skia-rpi2-demo-shelf1-004');
    const letIn = () =>
      query(
        'http_request_duration_seconds_count{job="power-cycle-daemon", route="/v1/alerts", code="200"} > 0',
      );
    await expect.poll(letIn, patiently).toHaveLength(1);
  });

  it('a full disk keeps the warning of the same disk quiet, and no other', async (context) => {
    if (missing.length > 0) return context.skip(why);
    const disk = { severity: 'warning', machine: 'skia-e-linux-01', mountpoint: '/' };
    await raise({ ...disk, alertname: 'HostDiskFull' });
    await raise({ ...disk, alertname: 'HostDiskLow' });
    await raise({ ...disk, alertname: 'HostDiskLow', machine: 'skia-rpi2-demo-shelf1-001' });

    await expect.poll(() => knownText('HostDiskFull'), patiently).toContain('skia-e-linux-01');
    await expect
      .poll(() => knownText('HostDiskLow'), patiently)
      .toContain('skia-rpi2-demo-shelf1-001');
    expect(await knownText('HostDiskLow')).not.toContain('skia-e-linux-01');
  });
});

const Dashboard = z.object({
  panels: z.array(
    z.object({
      title: z.string(),
      targets: z
        .array(z.object({ expr: z.string(), legendFormat: z.string().default('') }))
        .default([]),
      transformations: z.array(z.object({ id: z.string(), options: z.unknown() })).default([]),
    }),
  ),
});
const Columns = z.object({ include: z.object({ names: z.array(z.string()) }) });
const { panels } = Dashboard.parse(JSON.parse(kubeFile('components/grafana/rack.json')));

/** Queries of the dashboard, with the labels of their results that it displays. */
const queries = panels.flatMap(({ title, targets, transformations }) => {
  const { data: table } = Columns.safeParse(transformations[0]?.options);
  const columns = table?.include.names.filter((name) => name !== 'Value') ?? [];
  return targets.map(({ expr, legendFormat }) => ({
    title,
    expr,
    displayed: [
      ...columns,
      ...[...legendFormat.matchAll(/{{(\w+)}}/g)].map(([, name = '']) => name),
    ],
  }));
});

const jumphost = 'jumphost-demo';
for (const [title, expr] of Object.entries(healthQueries(jumphost))) {
  queries.push({ title: `skolo status, ${title}`, expr, displayed: [] });
}

/** Of sensors that not every computer has, and of TLS, which is off here. */
const ofOthers = ['node_thermal_zone_temp', 'skolo_tls_certificate_expiry_timestamp_seconds'];

describe('dashboard and skolo status', () => {
  it('has queries', () => {
    expect(queries.length).toBeGreaterThan(30);
  });

  it.for(queries)('$title: $expr', async ({ expr, displayed }, context) => {
    if (missing.length > 0) return context.skip(why);
    // The metrics are there, whatever the query selects of them.
    for (const metric of metricsIn(expr).filter((name) => !ofOthers.includes(name))) {
      const labels = labelsIn(expr, metric);
      const seen = async (selector: string) =>
        (await query(`count({__name__="${metric}"${selector}})`)).length > 0;
      // A metric that has a value only now and then, such as a reason, may end between two queries: its labels are in its source.
      const declared = declaredLabels(metric);
      const isSilent = async () => declared !== undefined && !(await seen(''));
      if (declared === undefined) await expect.poll(() => seen(''), patiently).toBe(true);
      for (const label of labels) {
        const isKnown = [...(declared ?? []), 'job', 'machine', 'instance'].includes(label);
        const has = async () => (await seen(`, ${label}!=""`)) || (isKnown && (await isSilent()));
        await expect.poll(has, { ...patiently, message: `${metric}: ${label}` }).toBe(true);
      }
    }

    const found = await query(expr);

    // Labels that the dashboard displays exist, where there is a result.
    for (const label of expr.startsWith('ALERTS') ? ['alertname', 'severity'] : displayed) {
      if (found.length === 0) break;
      const having = found.filter(({ labels }) => labels[label] !== undefined);
      if (label !== 'machine') expect(having, label).not.toEqual([]);
    }
  });
});

it('skolo status reads how the rack is from one answer', async ({ skip }) => {
  if (missing.length > 0) return skip(why);
  const health = async () =>
    readHealth(await textAt(new URL(healthPath(jumphost), prometheusUrl).href));

  await expect.poll(health, patiently).toMatchObject({
    versions: {
      'metadata-server': [expect.any(String)],
      'power-cycle-daemon': [expect.any(String)],
      'router-backup': [expect.any(String)],
      'alert-to-pubsub': [expect.any(String)],
      'machine-state': [expect.any(String)],
    },
    down: [],
    controllers: { all: expect.any(Number), up: expect.any(Number) },
    reboots: expect.any(Number),
    tasksEnded: { all: expect.any(Number), failed: expect.any(Number) },
    machines: { all: 5, silent: expect.any(Number), held: 0 },
    tokenSeconds: expect.any(Number),
    backupSeconds: expect.any(Number),
    waiting: expect.any(Number),
    spool: expect.any(Number),
    disk: expect.any(Number),
  });
});
