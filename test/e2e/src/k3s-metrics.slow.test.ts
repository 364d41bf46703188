/** The jobs `k3s` and `containers` of kube/base, by the real Prometheus and a real API server. The kubelet is a fake. */

import { execFileSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:https';
import { join } from 'node:path';
import { listen, tempDir } from '@skolo/base/testing';
import { lacks, peer, startControlPlane } from '@skolo/simulators';
import { expect, it, onTestFinished } from 'vitest';
import { parseDocument } from 'yaml';
import { z } from 'zod';
import {
  kubeFile,
  replaced,
  startPrometheus,
  targetsAt,
  textAt,
  writeFiles,
} from './monitoring-stack.ts';

const programs = {
  prometheus: peer('prometheus'),
  kubectl: peer('kubectl'),
  'control-plane': peer('control-plane'),
};
const why = lacks('prometheus', 'kubectl', 'control-plane');
const patiently = { interval: 500 };

const Result = z.object({
  data: z.object({ result: z.array(z.object({ metric: z.record(z.string(), z.string()) })) }),
});

/** As cAdvisor prints it: of the computer, of a pod, and of a container. */
const cadvisor = `# TYPE container_cpu_usage_seconds_total counter
container_cpu_usage_seconds_total{container="",cpu="total",id="/",image="",name="",namespace="",pod=""} 1000
container_cpu_usage_seconds_total{container="",cpu="total",id="/kubepods/pod1",image="",name="",namespace="skolo",pod="prometheus-1"} 20
container_cpu_usage_seconds_total{container="prometheus",cpu="total",id="/kubepods/pod1/ab",image="prom",name="ab",namespace="skolo",pod="prometheus-1"} 10
# TYPE container_memory_cache gauge
container_memory_cache{container="prometheus",id="/kubepods/pod1/ab",image="prom",name="ab",namespace="skolo",pod="prometheus-1"} 1
`;

it.skipIf(why)(
  'metrics of k3s and of containers reach Prometheus, by an account that may do nothing else',
  async () => {
    const dir = await tempDir();
    const { kubectl = '', prometheus = '' } = programs;
    const plane = await startControlPlane(programs['control-plane'] ?? '', kubectl, {
      folder: join(dir, 'plane'),
    });
    onTestFinished(() => plane.close());
    const apply = (text: string) =>
      execFileSync(
        kubectl,
        [`--kubeconfig=${plane.kubeconfig}`, 'apply', '-n', 'skolo', '-f', '-'],
        {
          input: text,
        },
      );
    apply('apiVersion: v1\nkind: Namespace\nmetadata: { name: skolo }\n');
    apply(kubeFile('base/prometheus/deployment.yaml').split('\n---\n')[0] ?? '');
    apply(kubeFile('base/prometheus/access.yaml'));
    const token = await plane.tokenOf('skolo', 'prometheus', 3600);
    const certificates = join(dir, 'plane/certificates');
    const kubelet = createServer(
      {
        key: await readFile(join(certificates, 'server.key')),
        cert: await readFile(join(certificates, 'server.crt')),
      },
      ({ url, headers }, response) => {
        const isAllowed =
          headers.authorization === `Bearer ${token}` && url === '/metrics/cadvisor';
        response.writeHead(isAllowed ? 200 : 403, { 'content-type': 'text/plain' }).end(cadvisor);
      },
    );
    const kubeletPort = await listen(kubelet);

    const target = (port: number) =>
      JSON.stringify([{ targets: [`127.0.0.1:${port}`], labels: { machine: 'jumphost' } }]);
    await writeFiles(join(dir, 'targets'), {
      'k3s.json': target(plane.port),
      'kubelet.json': target(kubeletPort),
    });
    await writeFiles(join(dir, 'kubernetes'), {
      token,
      'ca.crt': await readFile(join(certificates, 'authority.crt'), 'utf8'),
    });
    await writeFiles(dir, { 'prometheus.yml': configOf(dir) });
    const { url } = await startPrometheus(prometheus, dir, onTestFinished);
    const query = async (expr: string) => {
      const text = await textAt(`${url}/query?${new URLSearchParams({ query: expr })}`);
      const { data } = Result.safeParse(JSON.parse(text || '{}'));
      return (data?.data.result ?? []).map(({ metric }) => metric);
    };
    const values = async (label: string, of: string) =>
      new Set((await query(`count by (${label}) (${of})`)).map((each) => each[label]));

    const problems = async () =>
      (await targetsAt(url)).map(({ health, lastError }) => `${health} ${lastError}`);
    await expect.poll(problems, patiently).toEqual(['up ', 'up ']);
    const names = await values('__name__', '{job="k3s"}');
    // All that the rules use, but what only k3s has.
    for (const name of [
      'apiserver_request_total',
      'apiserver_request_sli_duration_seconds_bucket',
      'apiserver_request_sli_duration_seconds_count',
      'apiserver_storage_size_bytes',
      'process_resident_memory_bytes',
    ]) {
      expect(names).toContain(name);
    }
    expect(await values('le', '{job="k3s"}')).toEqual(new Set([undefined, '1', '+Inf']));
    expect((await query('{job="k3s"}')).length).toBeLessThan(2000);
    expect(await query('{job="containers",__name__=~"container_.+"}')).toEqual([
      {
        __name__: 'container_cpu_usage_seconds_total',
        job: 'containers',
        instance: `127.0.0.1:${kubeletPort}`,
        machine: 'jumphost',
        container: 'prometheus',
        cpu: 'total',
        namespace: 'skolo',
        pod: 'prometheus-1',
      },
    ]);

    const can = (...words: string[]) => {
      const as = '--as=system:serviceaccount:skolo:prometheus';
      const args = [`--kubeconfig=${plane.kubeconfig}`, 'auth', 'can-i', as, ...words];
      try {
        return execFileSync(kubectl, args, { encoding: 'utf8', stdio: 'pipe' }).trim();
      } catch {
        return 'no';
      }
    };
    expect(can('get', 'nodes', '--subresource=metrics')).toBe('yes');
    for (const words of [
      'get nodes --subresource=proxy',
      'list nodes',
      'list pods',
      'get secrets',
      'get /logs',
    ]) {
      expect([words, can(...words.split(' '))]).toEqual([words, 'no']);
    }
  },
);

/** That of kube/base, with these jobs alone. */
function configOf(dir: string): string {
  const document = parseDocument(
    replaced(kubeFile('base/prometheus/prometheus.yml'), {
      '/etc/prometheus/': `${dir}/`,
      'scrape_interval: 15s': 'scrape_interval: 5s',
      'scrape_interval: 1m': 'scrape_interval: 5s',
      'scrape_timeout: 10s': 'scrape_timeout: 5s',
    }),
  );
  for (const key of ['alerting', 'rule_files']) document.delete(key);
  const { scrape_configs: jobs } = z
    .object({ scrape_configs: z.array(z.looseObject({ job_name: z.string() })) })
    .parse(document.toJS());
  document.set(
    'scrape_configs',
    jobs.filter(({ job_name }) => ['k3s', 'containers'].includes(job_name)),
  );
  return document.toString();
}
