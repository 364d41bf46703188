/** Lists what Prometheus scrapes besides the services: agents, node-exporters, and ping targets. */
import type { Equipment, Machine, Rack } from '../rack/rack.ts';
import { hostOfUrl, serviceMetricsUrl } from '../rack/service-urls.ts';
import { k3sPort, kubeletPort, nodePort } from '../schema/service-ports.ts';
import type { DerivedFile } from './derived-file.ts';

/** A group of `file_sd_configs`. */
interface Target {
  targets: [string];
  labels: Record<string, string>;
}

/**
 * Files for `file_sd_configs` of Prometheus. Every machine with an address should have an agent and a node-exporter. Labels
 * match kube/base/prometheus/rules.
 */
export function prometheusTargets(rack: Rack): DerivedFile {
  const machines = [...rack.machines.values()];
  const lists: Record<string, Target[]> = {
    'swarming-client.json': machines.flatMap((machine) => agentOf(rack, machine)),
    'node.json': machines.flatMap(({ name, address }) =>
      address === undefined
        ? []
        : [{ targets: [`${hostOfUrl(address)}:${nodePort}`], labels: { machine: name } }],
    ),
    // Separately, because Prometheus accepts more from it than from a machine with tasks.
    'node-of-jumphost.json': [jumphostAt(rack, nodePort)],
    'k3s.json': [jumphostAt(rack, k3sPort)],
    'kubelet.json': [jumphostAt(rack, kubeletPort)],
    'ping.json': [
      ...machines.flatMap((machine) => pingOf(machine, 'machine')),
      ...[...rack.equipment.values()].flatMap((equipment) => pingOf(equipment, 'device')),
    ],
  };
  return {
    name: 'prometheus-targets.yaml',
    about:
      'Agents and node-exporters on machines, k3s on the jumphost, and blackbox-exporter targets.\nblackbox-exporter pings a target of ping.json, or connects to its SSH port if rack.yaml specifies one.',
    objects: [
      {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: {
          name: 'prometheus-targets',
          namespace: 'skolo',
          labels: {
            'app.kubernetes.io/name': 'prometheus',
            'app.kubernetes.io/part-of': 'skolo',
          },
        },
        data: Object.fromEntries(
          Object.entries(lists).map(([file, targets]) => [file, jsonText(targets)]),
        ),
      },
    ],
    use: 'resource',
  };
}

function jumphostAt({ jumphost: { name, address } }: Rack, port: number): Target {
  return { targets: [`${hostOfUrl(address)}:${port}`], labels: { machine: name } };
}

/** Its metrics URL; no target without an address. */
function agentOf(rack: Rack, machine: Machine): Target[] {
  if (machine.address === undefined && machine.swarming.metricsUrl === undefined) return [];
  const url = new URL(serviceMetricsUrl(rack, 'swarming-client', machine));
  const path = `${url.pathname.replace(/\/$/, '')}/metrics`;
  const port = url.port || (url.protocol === 'https:' ? '443' : '80');
  const labels = {
    machine: machine.name,
    ...(url.protocol === 'https:' && { __scheme__: 'https' }),
    ...(path !== '/metrics' && { __metrics_path__: path }),
  };
  return [{ targets: [`${url.hostname}:${port}`], labels }];
}

/** An entry with an ssh port shares its address, and another host would answer the ping. */
function pingOf(
  { name, address, ports }: Machine | Equipment,
  label: 'machine' | 'device',
): Target[] {
  if (address === undefined) return [];
  if (ports.ssh === undefined) return [{ targets: [address], labels: { [label]: name } }];
  return [
    {
      targets: [`${hostOfUrl(address)}:${ports.ssh}`],
      labels: { [label]: name, __param_module: 'tcp_connect' },
    },
  ];
}

/** One target per line, for readable diffs. */
function jsonText(targets: readonly Target[]): string {
  const lines = targets.map((target) => `  ${JSON.stringify(target)}`);
  return lines.length === 0 ? '[]\n' : `[\n${lines.join(',\n')}\n]\n`;
}
