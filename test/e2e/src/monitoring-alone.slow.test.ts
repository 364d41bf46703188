/** The commands of the page for a Prometheus and Grafana of one's own: what they write is what these programs accept, for services alone. */
import { execFileSync } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { tempDir } from '@skolo/base/testing';
import { peer } from '@skolo/simulators';
import { expect, it, onTestFinished } from 'vitest';
import { z } from 'zod';
import { ask, root, startPrometheus, targetsAt, textAt } from './monitoring-stack.ts';
import { startService } from './service-process.ts';

const prometheus = peer('prometheus');
const promtool = peer('promtool');
const page = join(root, 'docs/adopt/with-your-tools.md');

const Groups = z.object({
  data: z.object({
    groups: z.array(
      z.object({
        name: z.string(),
        rules: z.array(z.object({ name: z.string(), health: z.string() })),
      }),
    ),
  }),
});
const Dashboard = z.object({
  templating: z.object({ list: z.array(z.object({ name: z.string(), type: z.string() })) }),
  panels: z.array(z.object({ targets: z.array(z.object({ expr: z.string() })).optional() })),
});

it('loads the rules of services alone, scrapes one, and answers all that the dashboard asks', async (context) => {
  if (!prometheus || !promtool)
    return context.skip('prometheus is not installed (Debian: prometheus)');
  const [, command = ''] =
    /^(node scripts\/monitoring\/write\.mjs .*)$/m.exec(await readFile(page, 'utf8')) ?? [];
  const dir = await tempDir();
  const words = command
    .replace('/etc/prometheus/skolo', dir)
    .replace('192.0.2.1', '127.0.0.1')
    .split(' ');
  const folder = await tempDir();
  const rack = join(folder, 'rack.yaml');
  await writeFile(
    rack,
    'rack: lab\nnetwork: { subnet: 127.0.0.0/8 }\njumphost: { name: here, address: 127.0.0.1 }\naccess: { anonymousRead: [127.0.0.0/8] }\n',
  );
  const service = await startService('power-cycle-daemon', [
    ...['--rack', rack, '--state-dir', join(folder, 'state')],
  ]);

  execFileSync(process.execPath, words.slice(1), { cwd: root });
  const config = join(dir, 'prometheus.yml');
  const text = await readFile(config, 'utf8');
  expect(await ask(promtool, 'check', 'config', config)).not.toContain('it has failed');
  await writeFile(config, text.replace('127.0.0.1:20012', new URL(service.metricsUrl).host));
  const { url } = await startPrometheus(prometheus, dir, onTestFinished);

  const groups = async () =>
    Groups.safeParse(JSON.parse((await textAt(`${url}/rules`)) || '{}')).data?.data.groups ?? [];
  await expect.poll(async () => (await groups()).map(({ name }) => name)).toContain('power');
  expect(
    (await groups()).flatMap(({ rules }) => rules.filter(({ health }) => health === 'err')),
  ).toEqual([]);
  await expect
    .poll(async () =>
      (await targetsAt(url)).map(({ scrapeUrl, health }) => `${scrapeUrl} ${health}`),
    )
    .toContain(`${service.metricsUrl}/metrics up`);
  const { templating, panels } = Dashboard.parse(
    JSON.parse(await readFile(join(dir, 'dashboard.json'), 'utf8')),
  );
  expect(templating.list).toContainEqual({ name: 'datasource', type: 'datasource' });
  expect(await readFile(join(dir, 'dashboard.json'), 'utf8')).not.toContain('"uid": "prometheus"');
  for (const { expr } of panels.flatMap(({ targets = [] }) => targets)) {
    const answer = await fetch(`${url}/query?${new URLSearchParams({ query: expr })}`);
    expect([answer.status, expr]).toEqual([200, expr]);
  }
});

it('names the services that it knows', () => {
  const call = () =>
    execFileSync(
      process.execPath,
      ['scripts/monitoring/write.mjs', '/nowhere', '127.0.0.1', 'gitlab'],
      {
        cwd: root,
        stdio: 'pipe',
      },
    );

  expect(call).toThrow('unknown services: gitlab; usage: node scripts/monitoring/write.mjs');
});
