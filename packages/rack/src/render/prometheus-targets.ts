/** What Prometheus asks besides the services: agents, node-exporters, and whatever is pinged. */
import type { InfrastructureDevice, Machine, Rack } from '../rack.ts';
import { hostOfUrl, serviceMetricsUrl } from '../service-urls.ts';
import type { DerivedFile } from './derived-file.ts';

/** Of node-exporter, everywhere. */
const nodePort = 9100;

/** A group of `file_sd_configs`. */
interface Target {
  targets: [string];
  labels: Record<string, string>;
}

/**
 * Files for Prometheus' `file_sd_configs`. Every machine with an address is to have an agent and a node-exporter, whether it
 * is a node of k3s or not. Labels are as kube/base/prometheus/rules expects them.
 */
export function prometheusTargets(rack: Rack): DerivedFile {
  const machines = [...rack.machines.values()];
  const lists: Record<string, Target[]> = {
    'swarming-client.json': machines.flatMap((machine) => agentOf(rack, machine)),
    'node.json': [rack.jumphost, ...machines].flatMap(({ name, address }) =>
      address === undefined
        ? []
        : [{ targets: [`${hostOfUrl(address)}:${nodePort}`], labels: { machine: name } }],
    ),
    'ping.json': [
      // Without its node-exporter it would count as missing.
      { targets: [rack.jumphost.address], labels: { machine: rack.jumphost.name } },
      ...machines.flatMap((machine) => pingOf(machine, 'machine')),
      ...[...rack.infrastructure.values()].flatMap((device) => pingOf(device, 'device')),
    ],
  };
  return {
    name: 'prometheus-targets.yaml',
    about:
      'Agents and node-exporters of machines, and what blackbox-exporter asks about machines, switches and PDUs.\nA target of ping.json is pinged, or its ssh port is opened where rack.yaml gives one.',
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

/** Its metrics are wherever rack.yaml says; without an address nobody would find it. */
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

/** Who has an ssh port of its own is behind somebody else's address, who would answer the ping. */
function pingOf(
  { name, address, ports }: Machine | InfrastructureDevice,
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

/** A target on a line, so that a difference in git is one. */
function jsonText(targets: readonly Target[]): string {
  const lines = targets.map((target) => `  ${JSON.stringify(target)}`);
  return lines.length === 0 ? '[]\n' : `[\n${lines.join(',\n')}\n]\n`;
}
