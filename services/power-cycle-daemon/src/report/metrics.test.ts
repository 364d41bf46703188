/** What a running daemon tells Prometheus, and whether the alert rules ask for anything else. */
import { readFileSync } from 'node:fs';
import { describe, expect, it, vi } from 'vitest';
import { startDaemon } from '../testing/daemon.ts';

const yaml = `
equipment:
  pdu-1: { model: apc-rpdu, address: 127.0.2.2 }
machines:
  b: { kind: host, power: pdu-1/1 }
`;

async function metricsOf(url: string): Promise<string[]> {
  const response = await fetch(`${url}/metrics`);
  return (await response.text()).split('\n');
}

describe('metrics', () => {
  it('has all that the alert rules ask for', async () => {
    const rules = new URL('../../../../kube/base/prometheus/rules/power.yaml', import.meta.url);
    const wanted = readFileSync(rules, 'utf8').match(/\bskolo_power_\w+/g) ?? [];
    const { metricsUrl } = await startDaemon({ yaml });

    const lines = await metricsOf(metricsUrl);
    const known = lines.flatMap((line) => /^# HELP (\S+)/.exec(line)?.[1] ?? []);

    expect(known).toEqual(expect.arrayContaining(wanted));
  });

  it('counts from 0 on, so that the first time is seen as one', async () => {
    const { metricsUrl } = await startDaemon({ yaml });

    const lines = await metricsOf(metricsUrl);

    expect(lines).toEqual(
      expect.arrayContaining([
        'skolo_power_cycles_total{action="cycle",outcome="failed",failed_step="turn-off"} 0',
        'skolo_power_rejections_total{code="held"} 0',
        'skolo_power_repairs_total{outcome="many-down"} 0',
      ]),
    );
  });

  it('shows who holds how many machines', async () => {
    const daemon = await startDaemon({ yaml });
    await daemon.client.hold({ body: { targets: ['pdu-1'], reason: 'a new fan' } });

    const lines = await metricsOf(daemon.metricsUrl);

    expect(lines.filter((line) => line.startsWith('skolo_power_machines_held{'))).toEqual([
      expect.stringMatching(/^skolo_power_machines_held\{by="[^"]+"\} 1$/),
    ]);
  });

  it('shows what a person turned off, whatever it feeds', async () => {
    const { metricsUrl, turnAll } = await startDaemon({ yaml });
    await turnAll('off', ['b', 'pdu-1/7']);

    // A cycle is told as finished a moment before it is counted.
    await vi.waitFor(async () => {
      expect(await metricsOf(metricsUrl)).toEqual(
        expect.arrayContaining([
          'skolo_power_outlets_switched_off{outlet="pdu-1/1"} 1',
          'skolo_power_outlets_switched_off{outlet="pdu-1/7"} 1',
          'skolo_power_outlet_on{outlet="pdu-1/1"} 0',
          'skolo_power_outlet_on{outlet="pdu-1/7"} 0',
          'skolo_power_cycles_total{action="off",outcome="off",failed_step=""} 2',
        ]),
      );
    });
  });

  it('shows since when an on is pending, while it is', async () => {
    const { boards, client, metricsUrl } = await startDaemon({ yaml });
    const before = Date.now() / 1000;
    const pendingOnSince = async () => {
      const lines = await metricsOf(metricsUrl);
      return lines.flatMap(
        (line) => /^skolo_power_oldest_pending_on\S* (\S+)/.exec(line)?.[1] ?? [],
      );
    };

    const atFirst = await pendingOnSince();
    boards.get('pdu-1').ignores = 'on';
    const body = { machines: ['b'], reason: 'dead', offSeconds: 0.5 };
    await client.requestCycles({ body });
    const pendingOn = await vi.waitFor(async () => {
      const found = await pendingOnSince();
      expect(found).toHaveLength(1);
      return Number(found[0]);
    });
    boards.get('pdu-1').ignores = undefined;
    await vi.waitFor(async () => expect(await pendingOnSince()).toEqual([]));

    expect(atFirst).toEqual([]);
    expect(pendingOn).toBeGreaterThanOrEqual(Math.floor(before));
  });
});
