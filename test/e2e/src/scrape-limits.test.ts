import { readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { cleanUps, listen, tempDir } from '@skolo/base/testing';
import { lacks, peer } from '@skolo/simulators';
import { beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import {
  configFor,
  kubeFile,
  replaced,
  root,
  startPrometheus,
  targetsAt,
  textAt,
  writeFiles,
} from './monitoring-stack.ts';

const Limits = z.object({
  job_name: z.string(),
  body_size_limit: z.string(),
  sample_limit: z.int().positive(),
  label_limit: z.literal(30),
  label_name_length_limit: z.literal(60),
  label_value_length_limit: z.literal(200),
});
const Config = z.object({ data: z.object({ yaml: z.string() }) });

/** What targets answer, by their path, and the error that Prometheus must report for it. */
const answers: Record<string, { body: string | Buffer; error: RegExp }> = {
  healthy: { body: 'up_and_well 1', error: /^$/ },
  // 256 MB, as 255 kB of gzip.
  endless: { body: gzipSync(Buffer.alloc(256 * 2 ** 20, '#')), error: /body size limit exceeded/ },
  samples: {
    body: Array.from({ length: 5001 }, (_, i) => `many{n="${i}"} 1`).join('\n'),
    error: /sample limit exceeded/,
  },
  labels: {
    body: `many{${Array.from({ length: 31 }, (_, i) => `l${i}="1"`).join(',')}} 1`,
    error: /label_limit exceeded/,
  },
  name: { body: `long{${'n'.repeat(61)}="1"} 1`, error: /label_name_length_limit exceeded/ },
  value: { body: `long{v="${'v'.repeat(201)}"} 1`, error: /label_value_length_limit exceeded/ },
};

const configurations = readdirSync(join(root, 'kube'), { recursive: true, encoding: 'utf8' })
  .filter((file) => /\.ya?ml$/.test(file))
  .filter((file) => /^scrape_configs:/m.test(kubeFile(file)));

describe('limits of a scrape', () => {
  it.each(configurations)('%s has them in each job', (file) => {
    const { scrape_configs: jobs } = z
      .object({ scrape_configs: z.array(z.unknown()) })
      .parse(parse(kubeFile(file), { merge: true }));

    expect(jobs.map((job) => Limits.safeParse(job).error?.message)).toEqual(
      jobs.map(() => undefined),
    );
  });

  it('are held in every configuration of this repository', () => {
    expect(configurations.toSorted()).toEqual([
      'base/prometheus/prometheus.yml',
      'testbed/prometheus/prometheus.yml',
    ]);
  });
});

const prometheus = peer('prometheus') ?? '';
const why = lacks('prometheus');
describe.skipIf(why)('what Prometheus accepts from a target', () => {
  let url = '';
  let pid: number | undefined;
  const atTheEnd = cleanUps();

  beforeAll(async () => {
    const dir = await tempDir(atTheEnd);
    const server = createServer(({ url: path = '' }, response) => {
      const { body = '' } = answers[path.slice(1)] ?? {};
      const headers = typeof body === 'string' ? {} : { 'content-encoding': 'gzip' };
      response.writeHead(200, { 'content-type': 'text/plain', ...headers }).end(body);
    });
    const port = await listen(server, atTheEnd);
    const config = replaced(kubeFile('base/prometheus/prometheus.yml'), {
      '/etc/prometheus/': `${dir}/`,
      'scrape_interval: 15s': 'scrape_interval: 5s',
      'scrape_timeout: 10s': 'scrape_timeout: 5s',
    });
    // Of a machine, Prometheus drops most of it before it counts: hostile-metrics.test.ts.
    await writeFiles(join(dir, 'extra-targets'), {
      'ups.json': JSON.stringify(
        Object.keys(answers).map((path) => ({
          targets: [`127.0.0.1:${port}`],
          labels: { job: 'ups', __metrics_path__: `/${path}` },
        })),
      ),
    });
    await writeFiles(dir, {
      'prometheus.yml': configFor(prometheus, config),
    });
    ({ url, pid } = await startPrometheus(prometheus, dir, atTheEnd));
  });

  it('has limits in each job', async () => {
    const text = async () =>
      Config.safeParse(JSON.parse((await textAt(`${url}/status/config`)) || '{}')).data?.data.yaml;
    await expect.poll(text).toBeDefined();

    const { scrape_configs: jobs } = z
      .object({ scrape_configs: z.array(Limits) })
      .parse(parse((await text()) ?? ''));

    const bodies = Object.groupBy(jobs, ({ body_size_limit }) => body_size_limit);
    expect(Object.keys(bodies).toSorted()).toEqual(['300KiB', '50MiB', '5MiB']);
    expect(bodies['50MiB']?.map(({ job_name }) => job_name)).toEqual(['k3s', 'containers']);
    expect(bodies['300KiB']?.map(({ job_name }) => job_name)).toEqual(['swarming-client', 'node']);
  });

  it('rejects an answer above a limit, and stores that of its neighbour', async () => {
    const found = async () =>
      Object.fromEntries(
        (await targetsAt(url)).flatMap(({ scrapeUrl, health, lastError }) => {
          const path = new URL(scrapeUrl).pathname.slice(1);
          return path in answers && health !== 'unknown' ? [[path, lastError]] : [];
        }),
      );

    await expect
      .poll(found, { interval: 500 })
      .toEqual(
        Object.fromEntries(
          Object.entries(answers).map(([path, { error }]) => [path, expect.stringMatching(error)]),
        ),
      );
    const status = await readFile(`/proc/${pid}/status`, 'utf8');
    const [, peak = ''] = /VmHWM:\s+(\d+) kB/.exec(status) ?? [];
    expect(Number(peak) / 1024).toBeLessThan(256);
  });
});
