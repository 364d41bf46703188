import { readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { join } from 'node:path';
import { isLong } from '@skolo/base/durable/fault-injection';
import { cleanUps, listen, tempDir } from '@skolo/base/testing';
import { lacks, peer } from '@skolo/simulators';
import { beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import {
  configFor,
  kubeFile,
  replaced,
  startPrometheus,
  textAt,
  writeFiles,
} from './monitoring-stack.ts';
import { metricsAskedFor, ruleFiles, rulesFolder, rulesIn } from './rule-files.ts';

const patiently = { interval: 500 };

/** What the jumphost itself answers, or its prober. Every other file has targets on machines. */
const trusted = ['ping.json', 'k3s.json', 'kubelet.json', 'node-of-jumphost.json'];
const Rendered = z.object({ data: z.record(z.string(), z.string()) });
const filesOfMachines = Object.keys(
  Rendered.parse(parse(kubeFile('racks/rack4/derived/prometheus-targets.yaml'))).data,
).filter((file) => !trusted.includes(file));

/** Labels that a task would like to set, with values of others. */
const forged =
  'job="ping",instance="switch-1",exported_job="ping",machine="pi-3",device="switch-1",outlet="pdu-1/5",shelf="1",severity="critical",alertname="MachineMissing",alertstate="firing",controller="pdu-1",identity="bots",sink="pubsub",what="journal",code="needs-attention",verdict="quarantined",state="failed",name="ssh.service",mountpoint="/",fstype="ext4",le="1"';
const recorded = ruleFiles
  .flatMap(rulesIn)
  .flatMap((rule) => ('record' in rule ? [rule.record] : []));
const wanted = [...metricsAskedFor(), ...recorded, 'ALERTS', 'ALERTS_FOR_STATE', 'scrape_forged'];

/** All that any rule reads, forged. */
function forgery(): string {
  return wanted.map((name) => `${name} 1\n${name}{${forged}} 1\n`).join('');
}

const closed: Record<string, readonly string[]> = {
  code: ['hot', 'missing', 'needs-attention', 'forced', 'battery-low', 'not-back'],
  device: Array.from({ length: 16 }, (_, i) => String(i)),
  verdict: ['ok', 'recovering', 'maintenance', 'quarantined'],
  state: ['present', 'missing', 'running', 'silent', 'failed', 'active'],
  kind: ['android', 'ios', 'linux'],
  hook: ['get_state', 'on_handshake'],
  why: ['silent', 'failed'],
  le: ['0.1', '1', '+Inf'],
  cpu: Array.from({ length: 64 }, (_, i) => String(i)),
  mode: ['idle', 'user', 'system'],
  mountpoint: ['/', '/var', '/home'],
  fstype: ['ext4', 'xfs'],
  chip: ['nvme_nvme0', 'platform_coretemp_1'],
  sensor: ['temp1', 'temp19', 'in0', 'battery'],
  name: ['ssh.service', 'k3s.service'],
};
const own = [...wanted, 'skolo_swarming_hook_seconds_bucket', 'node_cpu_seconds_total'].filter(
  (name) => /^(skolo_swarming|skolo_degraded|node)/.test(name),
);

/** One answer of many, each with other names, labels and values; as large as accepted. Reproducible. */
function novelty(round: number): string {
  let seed = round * 7919 + 1;
  const next = (most: number) => {
    seed = (seed * 48_271) % 2_147_483_647;
    return seed % most;
  };
  const lines = Array.from({ length: 1400 }, (_, i) => {
    const labels = Object.entries(closed)
      .filter(() => next(2) === 0)
      .map(([label, values]) => {
        const isNew = next(3) === 0;
        return `${label}="${isNew ? `${round}-${i}` : values[next(values.length)]}"`;
      });
    const name = next(4) === 0 ? `skolo_swarming_x${round}_${i}` : own[next(own.length)];
    return `${name}{n${i % 9}="${round}",${labels.join()}} ${next(1000)}\n`;
  });
  // Prometheus remembers the types of metrics, even of those that it drops.
  const types = Array.from({ length: 15_000 }, (_, i) => `# TYPE t${round}_${i} gauge\n`);
  return [...lines, ...types]
    .join('')
    .slice(0, 295_000)
    .replace(/[^\n]*$/, '');
}

const Alerts = z.object({
  data: z.object({
    alerts: z.array(z.object({ labels: z.record(z.string(), z.string()), state: z.string() })),
  }),
});
const Series = z.object({ data: z.array(z.record(z.string(), z.string())) });
const Head = z.object({ data: z.object({ headStats: z.object({ numSeries: z.number() }) }) });

const prometheus = peer('prometheus') ?? '';
const why = lacks('prometheus');
describe.skipIf(why)('a machine that lies to Prometheus', () => {
  const atTheEnd = cleanUps();
  let server: Server;
  let address = '';
  let lie = forgery;
  let answered = 0;
  let url = '';
  let pid: number | undefined;

  beforeAll(async () => {
    const dir = await tempDir(atTheEnd);
    server = createServer(({ url: path = '' }, response) => {
      response.setHeader('content-type', 'text/plain');
      if (path === '/liar') {
        answered += 1;
        return response.end(lie());
      }
      if (path === '/silent') return response.writeHead(503).end();
      // The prober: all answer, but for a machine and a switch.
      const isAway = /target=(pi-3|switch-1)\b/.test(path);
      return response.end(
        path.startsWith('/probe') ? `probe_success ${isAway ? 0 : 1}\n` : 'node_load1 1\n',
      );
    });
    const port = await listen(server, atTheEnd);
    address = `127.0.0.1:${port}`;
    const config = replaced(kubeFile('base/prometheus/prometheus.yml'), {
      '/etc/prometheus/': `${dir}/`,
      'scrape_interval: 15s': 'scrape_interval: 1s',
      // Each target has its own second in the hour.
      'scrape_interval: 1h': 'scrape_interval: 1s',
      'scrape_timeout: 10s': 'scrape_timeout: 1s',
      'evaluation_interval: 15s': 'evaluation_interval: 1s',
      'blackbox-exporter.skolo.svc:9115': address,
    });
    const target = (machine: string, path: string) => ({
      targets: [address],
      labels: { machine, instance: machine, __metrics_path__: path },
    });
    const ofMachines = filesOfMachines.map((file) => [
      file,
      // The agent of pi-2 is down, and pi-3 is away altogether.
      [
        target('liar', '/liar'),
        target('pi-2', file === 'node.json' ? '/well' : '/silent'),
        target('pi-3', '/silent'),
      ],
    ]);
    const pings = ['liar', 'pi-2', 'pi-3'].map((machine) => ({
      targets: [machine],
      labels: { machine },
    }));
    const lists = {
      ...Object.fromEntries(ofMachines),
      'ping.json': [...pings, { targets: ['switch-1'], labels: { device: 'switch-1' } }],
    };
    await writeFiles(
      join(dir, 'targets'),
      Object.fromEntries(
        Object.entries(lists).map(([file, targets]) => [file, JSON.stringify(targets)]),
      ),
    );
    // Nobody waits here: what fires after minutes fires at once.
    const rules = await Promise.all(
      ruleFiles.map(async (file) => {
        const text = await readFile(join(rulesFolder, file), 'utf8');
        return [file, text.replace(/^ +(for|keep_firing_for): .*\n/gm, '')] as const;
      }),
    );
    await writeFiles(join(dir, 'rules'), Object.fromEntries(rules));
    await writeFiles(dir, { 'prometheus.yml': configFor(prometheus, config) });
    ({ url, pid } = await startPrometheus(prometheus, dir, atTheEnd));
  });

  async function fetched<T>(path: string, schema: z.ZodType<T>): Promise<T | undefined> {
    const text = await textAt(`${url}/${path}`);
    return text.startsWith('{') ? schema.safeParse(JSON.parse(text)).data : undefined;
  }

  async function seriesOf(selector: string) {
    const query = new URLSearchParams({ 'match[]': selector });
    return (await fetched(`series?${query}`, Series))?.data ?? [];
  }

  it('neither silences nor forges alerts of others', async () => {
    const firing = async () =>
      ((await fetched('alerts', Alerts))?.data.alerts ?? []).map(
        ({ labels: { alertname, machine = '', device = '', job = '' } }) =>
          `${alertname} ${machine || device || job}`,
      );

    await expect
      .poll(firing, patiently)
      .toEqual(
        expect.arrayContaining([
          'MachineMissing pi-3',
          'SwarmingAgentDown pi-2',
          'EquipmentMissing switch-1',
        ]),
      );
    // Services do not run here, and what the machine says of itself is its own affair.
    const isTrue = / liar$|Down \S+$|^(Watchdog |MachineMissing pi-3|EquipmentMissing switch-1)$/;
    const forgedNow = async () => (await firing()).filter((alert) => !isTrue.test(alert));
    // At its start, Prometheus misses its own target.
    await expect.poll(forgedNow, patiently).toEqual([]);
  });

  const ofLiar = '{machine="liar",job=~"swarming-client|node",__name__!~"ALERTS.*"}';

  it('stores what belongs to its own metrics alone, under the labels of its target', async () => {
    await expect.poll(async () => (await seriesOf(ofLiar)).length, patiently).toBeGreaterThan(20);

    const all = await seriesOf(ofLiar);
    const names = [...new Set(all.map(({ __name__ = '' }) => __name__))];
    const labels = [...new Set(all.flatMap((series) => Object.keys(series)))];

    const ofPrometheus = /^(up|scrape_(duration_seconds|samples_.+|series_added))$/;
    expect(
      names.filter(
        (name) =>
          !/^(skolo_(swarming_|degraded$)|node_|process_)/.test(name) && !ofPrometheus.test(name),
      ),
    ).toEqual([]);
    expect(
      labels.filter((label) => /^(exported_|shelf|severity|alert|outlet|sink)/.test(label)),
    ).toEqual([]);
    expect([...new Set(all.map(({ instance }) => instance))]).toEqual(['liar']);
    // Nothing under the name of another one, but what that one's own targets give, and the prober about its kubelet.
    const ofAnother = await seriesOf('{machine="pi-3",job!="kubelet-certificates"}');
    expect(ofAnother.filter(({ instance }) => !['pi-3', undefined].includes(instance))).toEqual([]);
    expect(await seriesOf('{__name__=~"(machine|rack):.+",job!=""}')).toEqual([]);
    expect(
      await seriesOf('{__name__=~"ALERTS.*",alertname="MachineMissing",machine="liar"}'),
    ).toEqual([]);
  });

  it('costs less than 100 MB with names and values that are new in each answer', async () => {
    const memory = async (field: string) =>
      Number(
        new RegExp(`${field}:\\s+(\\d+) kB`).exec(
          await readFile(`/proc/${pid}/status`, 'utf8'),
        )?.[1],
      ) / 1024;
    const before = await memory('VmRSS');
    let round = 0;
    lie = () => novelty(++round);

    // One a second. The lists are finite, so that nothing new is stored after some answers.
    const until = answered + (isLong ? 600 : 20) * filesOfMachines.length;
    await expect.poll(() => answered, { interval: 500 }).toBeGreaterThan(until);

    const stored = async () => (await seriesOf('{machine="liar",job="node"}')).length;
    await expect.poll(stored, patiently).toBeGreaterThan(100);
    const { numSeries = Number.NaN } = (await fetched('status/tsdb', Head))?.data.headStats ?? {};
    expect(numSeries).toBeLessThan(10_000);
    expect((await memory('VmHWM')) - before).toBeLessThan(100);
  });
});
