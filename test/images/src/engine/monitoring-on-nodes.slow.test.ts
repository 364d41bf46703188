/** Monitoring of rack4 on real nodes: every target of kube/base/prometheus, and the way of an alert from a killed pod to Pub/Sub. */

import { whyNoRealNodes } from '@skolo/simulators';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { z } from 'zod';
import {
  allWorkloads,
  jumphost,
  machine,
  type RackOnNodes,
  startRackOnNodes,
  topic,
} from './rack-on-nodes.ts';
import { theEngine } from './testing.ts';

const why = whyNoRealNodes('curl');
let rack: RackOnNodes;

const Targets = z.object({
  data: z.object({
    activeTargets: z.array(
      z.object({
        labels: z.record(z.string(), z.string()),
        scrapePool: z.string(),
        health: z.string(),
        lastError: z.string(),
      }),
    ),
  }),
});
const Samples = z.object({
  data: z.object({
    result: z.array(
      z.object({
        metric: z.record(z.string(), z.string()),
        value: z.tuple([z.number(), z.string()]),
      }),
    ),
  }),
});

/** Of Prometheus' API. As on k3s, who asks is on the node of the jumphost: policies forbid others. */
async function prometheus(path: string): Promise<unknown> {
  const address = ['get', 'service', 'prometheus', '-n', 'skolo', '-o=jsonpath={.spec.clusterIP}'];
  const url = `http://${await rack.plane.kubectl(address)}:9090/api/v1/${path}`;
  return JSON.parse(await rack.nodes.jumphost.run('curl', '-sf', url));
}

async function samples(query: string) {
  const answer = await prometheus(`query?query=${encodeURIComponent(query)}`);
  return Samples.parse(answer).data.result;
}

/** Prometheus asks for it once an hour. */
const hourly = 'kubelet-certificates';

describe.skipIf(why)('monitoring, on real nodes', () => {
  beforeAll(async () => {
    const prepared = inject('prepared');
    if (prepared.is !== 'ready') return;
    rack = await startRackOnNodes(prepared.access, allWorkloads);
  });
  afterAll(() => rack?.close());

  it.each(allWorkloads)('%s becomes ready', async (name) => {
    await expect.poll(() => rack.stateOf(name), { interval: 500 }).toBe('ready');
  });

  it('has all targets of the nodes that there are, and no other', async ({ skip }) => {
    theEngine(skip);
    const here = [jumphost.name, machine.name];
    await expect
      .poll(
        async () => {
          const { data } = Targets.parse(await prometheus('targets'));
          return data.activeTargets
            .filter(({ scrapePool }) => scrapePool !== hourly)
            .filter(({ labels, scrapePool, health }) => {
              const isHere = labels.machine === undefined || here.includes(labels.machine);
              // The exporter answers for computers that do not.
              return (health === 'up') !== (isHere || scrapePool === 'ping');
            })
            .map(({ labels, lastError }) => `${labels.job} ${labels.instance}: ${lastError}`);
        },
        { interval: 2_000 },
      )
      .toEqual([]);
    const up = await samples(`count by (job) (up{job!="${hourly}"} == 1)`);
    expect(up.map(({ metric }) => metric.job).sort()).toEqual([
      ...['alert-to-pubsub', 'alertmanager', 'chrony', 'containers', 'k3s', 'machine-state'],
      ...['metadata-server', 'node', 'ping', 'power-cycle-daemon', 'prometheus', 'router-backup'],
      'swarming-client',
    ]);
    const pinged = await samples('probe_success == 1');
    expect(pinged.map(({ metric }) => metric.machine)).toEqual([machine.name]);
    const containers = await samples('container_memory_working_set_bytes{job="containers"}');
    expect(containers.map(({ metric }) => metric.container)).toContain('power-cycle-daemon');
  });

  it("requests Alertmanager's list of alerts from alert-to-pubsub, which finds the Service by cluster DNS", async ({
    skip,
  }) => {
    theEngine(skip);
    const read = ['cat', '/var/lib/skolo/alert-to-pubsub/alertmanager.json'] as const;
    await expect
      .poll(() => rack.nodes.jumphost.run(...read).catch(() => ''), {
        interval: 2_000,
      })
      .toContain('"url":"http://alertmanager.skolo.svc:9093"');
  });

  it('publishes an alert of a pod that was killed and does not return', async ({ skip }) => {
    theEngine(skip);
    const { name = '' } = (await rack.podOf('power-cycle-daemon'))?.metadata ?? {};
    await rack.plane.kubectl(['cordon', jumphost.name]);

    await rack.plane.kubectl(['delete', 'pod', '-n', 'skolo', name, '--grace-period=0', '--force']);

    await expect
      .poll(() => rack.pubsub.published(topic).map(({ attributes }) => attributes.alertname), {
        interval: 1_000,
      })
      .toContain('PowerCycleDaemonDown');
  });
});
