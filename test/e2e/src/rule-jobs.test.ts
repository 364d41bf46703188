/** Every rule names the job of each metric: another target that exports it, such as a hostile machine, does not count. */
import { cleanUps, tempDir } from '@skolo/base/testing';
import { healthQueries } from '@skolo/fleet';
import { lacks, peer } from '@skolo/simulators';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { kubeFile } from './monitoring-stack.ts';
import { ruleFiles, rulesIn } from './rule-files.ts';
import { type Matcher, matches, startSelectors } from './selectors.ts';

const Relabeling = z.object({
  source_labels: z.array(z.string()).default([]),
  target_label: z.string().optional(),
  regex: z.string().optional(),
});
const Job = z.object({
  job_name: z.string(),
  metric_relabel_configs: z.array(Relabeling).default([]),
});
const { scrape_configs: jobs } = z
  .object({ scrape_configs: z.array(Job) })
  .parse(parse(kubeFile('base/prometheus/prometheus.yml'), { merge: true }));
/** What `job` may be; `chrony` and a watch over racks are of `extra`. */
const all = [...jobs.map(({ job_name }) => job_name), 'chrony', 'alerts-watch'];
const machines = ['swarming-client', 'node'];
const others = all.filter((job) => !machines.includes(job));

/** Which jobs may deliver a metric; the first that matches. */
const deliverers: [name: RegExp, jobs: readonly string[]][] = [
  // Prometheus itself gives them the labels of their target, and a process its own start.
  [/^(up|process_start_time_seconds)$/, all],
  [/^skolo_alerts_(location|watch)_/, others],
  [/^skolo_alerts_/, ['alert-to-pubsub']],
  [/^skolo_backup_/, ['router-backup']],
  [/^skolo_metadata_/, ['metadata-server']],
  [/^skolo_power_/, ['power-cycle-daemon']],
  [/^skolo_machines_/, ['machine-state']],
  [/^skolo_swarming_/, ['swarming-client']],
  [/^skolo_degraded$/, all.filter((job) => job !== 'node')],
  [/^skolo_(rack|tls|access|build)_/, others],
  [/^node_/, ['node', 'chrony']],
  [/^(apiserver|k3s)_/, ['k3s']],
  [/^container_/, ['containers']],
  [/^prometheus_/, ['prometheus']],
  [/^alertmanager_/, ['alertmanager']],
  [/^probe_ssl_/, ['kubelet-certificates']],
  [/^probe_/, ['ping']],
];

/** What is wrong with a selector: jobs that it reads, and that do not deliver this metric. */
function problemsOf(selector: readonly Matcher[]): string[] {
  const name = selector.find(({ name }) => name === '__name__')?.value ?? '';
  // Of Prometheus itself: no target may export such names (hostile-metrics.test.ts).
  if (name.includes(':') || name === 'ALERTS') return [];
  const [, delivering] = deliverers.find(([metric]) => metric.test(name)) ?? [];
  if (delivering === undefined) return [`${name}: which job has it?`];
  const ofJob = selector.filter(({ name }) => name === 'job');
  if (ofJob.length === 0 && name !== 'up') return [`${name}: names no job`];
  return all
    .filter((job) => ofJob.every((matcher) => matches(matcher, job)))
    .filter((job) => !delivering.includes(job))
    .map((job) => `${name}: also of ${job}`);
}

/** Values of labels that a selector requires, but that Prometheus does not keep, because its list of values lacks them. */
function lostValues(selector: readonly Matcher[]): string[] {
  const required = new Map(
    selector.filter(({ type }) => type === '=').map(({ name, value }) => [name, value]),
  );
  const metric = required.get('__name__');
  const job = jobs.find(({ job_name }) => job_name === required.get('job'));
  return [...required].flatMap(([label, value]) => {
    const lists = job?.metric_relabel_configs.filter(
      ({ source_labels, target_label }) =>
        source_labels.join() === `__name__,${label}` && target_label !== undefined,
    );
    const isKept = lists?.some(({ regex }) => RegExp(`^(?:${regex})$`).test(`${metric};${value}`));
    return lists === undefined || lists.length === 0 || isKept
      ? []
      : [`${metric}: ${label} is never ${value}`];
  });
}

const prometheus = peer('prometheus') ?? '';
const why = lacks('prometheus');
describe.skipIf(why)('jobs in rules', () => {
  const atTheEnd = cleanUps();
  let selectorsOf: Awaited<ReturnType<typeof startSelectors>>;
  beforeAll(async () => {
    const dir = await tempDir(atTheEnd);
    selectorsOf = await startSelectors(prometheus, dir, atTheEnd);
    await vi.waitFor(() => selectorsOf('up'), { interval: 200 });
  });

  it('are read by Prometheus itself', async () => {
    const selectors = await selectorsOf(
      'count(a{job="x"}) > 1 unless on () b:c{d!~"e|f"} offset 1h',
    );

    expect(
      selectors.map((selector) => selector.map(({ name, type, value }) => name + type + value)),
    ).toEqual(
      expect.arrayContaining([
        expect.arrayContaining(['__name__=a', 'job=x']),
        expect.arrayContaining(['__name__=b:c', 'd!~e|f']),
      ]),
    );
  });

  it.each(ruleFiles)(
    '%s: each metric names the job that delivers it, with these labels',
    async (file) => {
      for (const { expr } of rulesIn(file)) {
        const selectors = await selectorsOf(expr);
        expect(selectors.flatMap(problemsOf), expr).toEqual([]);
        expect(selectors.flatMap(lostValues), expr).toEqual([]);
      }
    },
  );

  it('skolo status names them, too', async () => {
    for (const expr of Object.values(healthQueries('jumphost'))) {
      expect((await selectorsOf(expr)).flatMap(problemsOf), expr).toEqual([]);
    }
  });
});
