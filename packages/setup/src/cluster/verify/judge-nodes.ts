/** Decides whether a cluster's nodes are healthy, from what they and the API server report: clocks, temperature, power, disk, restarts. */
import type { Finding } from '@skolo/base';
import type { ClusterNode } from '@skolo/setup/k3s';
import { gathered, type Judged } from './finding.ts';
import type { NodeFacts } from './node-facts.ts';

const ok = (found: string): Judged => ({ state: 'ok', found });
const wrong = (found: string, advice: string): Judged => ({ state: 'differs', found, advice });
const warning = (found: string, advice?: string): Judged => ({ state: 'warning', found, advice });

/** Go's names of dpkg's architectures. */
const goNames: Record<string, string> = { amd64: 'amd64', arm64: 'arm64', armhf: 'arm' };
/** Between two nodes: leases and tokens tolerate more, logs and traces do not. */
const mostSkewSeconds = 1;
const hot = 80;
/** Restarts of a unit since boot. */
const manyRestarts = 3;

export function judgeNodes(nodes: readonly ClusterNode[], facts: readonly NodeFacts[]): Finding[] {
  const server = nodes.find(({ isServer }) => isServer) ?? nodes[0];
  const known = new Map(facts.map((each) => [each.name, each]));
  return [
    ...gathered('node', nodes, ({ isReady, complaints }) =>
      isReady && complaints.length === 0
        ? ok('ready')
        : isReady
          ? warning(complaints.join('; '))
          : wrong(`not ready: ${complaints.join('; ')}`, 'run journalctl on this node to see why'),
    ),
    ...gathered('version', nodes, ({ version }) =>
      version === server?.version
        ? ok(version)
        : {
            ...wrong(version, 'upgrade all nodes to the same version'),
            expected: `${server?.version}, as on the server`,
          },
    ),
    ...gathered('architecture', nodes, ({ name, architecture }) => {
      const userland = known.get(name)?.userland;
      if (userland === undefined) return ok(architecture);
      return goNames[userland] === architecture
        ? ok([...new Set(nodes.map((each) => each.architecture))].join(', '))
        : wrong(
            `the kubelet is ${architecture}, but the operating system is ${userland}, so the node pulls images for the wrong architecture`,
            'reset the node and set it up again',
          );
    }),
  ];
}

export function judgeFacts(facts: readonly NodeFacts[]): Finding[] {
  return [...judgeClocks(facts), ...judgeComputers(facts), ...judgeServices(facts)];
}

function judgeComputers(facts: readonly NodeFacts[]): Finding[] {
  return [
    ...gathered('memory cgroup', facts, ({ cgroupMemory }) =>
      cgroupMemory === 'yes'
        ? ok('enabled')
        : wrong(
            'disabled',
            'run skolo pi setup, or add cgroup_memory=1 cgroup_enable=memory to the line in /boot/firmware/cmdline.txt and reboot',
          ),
    ),
    ...gathered('swap', facts, ({ swapKib }) =>
      swapKib === 0
        ? ok('off')
        : warning(
            `${Math.round(swapKib / 1024)} MiB of swap is enabled`,
            'run skolo pi kubernetes deploy to disable swap',
          ),
    ),
    ...gathered('power', facts, ({ throttled }) => judgePower(throttled)),
    ...gathered('temperature', facts, ({ celsius }) =>
      celsius === undefined
        ? { state: 'skipped', found: 'no sensor' }
        : celsius < hot
          ? ok(`below ${hot} °C`)
          : warning(
              `${Math.round(celsius)} °C; the processor slows down at ${hot} °C`,
              'improve the cooling',
            ),
    ),
    ...gathered('disk', facts, ({ freeMib, usedPercent, unit }) =>
      usedPercent < 85
        ? ok('less than 85% used')
        : wrong(
            `${usedPercent}% used, ${freeMib} MiB free; above 85%, the kubelet deletes images, and evicts pods if the disk fills up further`,
            `run ${unit === 'kubelet' ? '' : 'k3s '}crictl rmi --prune to free disk space`,
          ),
    ),
  ];
}

/** What their logs and units report. */
function judgeServices(facts: readonly NodeFacts[]): Finding[] {
  return [
    ...gathered('restarts', facts, ({ unit, restarts = 0 }) =>
      restarts < manyRestarts
        ? ok('few or no restarts')
        : wrong(
            `${unit} restarted ${restarts} times`,
            `run journalctl -u ${unit} on this node to see why`,
          ),
    ),
    ...gathered('TLS', facts, ({ tlsTimeouts, notYetValid, unit }) =>
      notYetValid > 0
        ? wrong(
            `certificates were rejected in the last hour as expired or not yet valid, usually because the clock was wrong`,
            `check NTP on this node, and restart ${unit}`,
          )
        : tlsTimeouts > 0
          ? wrong(
              `${tlsTimeouts} × "TLS handshake timeout" in the last hour, usually because the API server is too slow`,
              'check its restarts and CPU load, and measure fsync times with skolo pi kubernetes bench',
            )
          : ok('no TLS handshake timeout in the last hour'),
    ),
    ...gathered('database', facts, ({ slowDatabase }) =>
      slowDatabase < 10
        ? ok('responds in time')
        : wrong(
            `${slowDatabase} slow requests in the last hour, usually because the SD card is too slow for the database`,
            'move the server to an SSD',
          ),
    ),
  ];
}

function judgeClocks(facts: readonly NodeFacts[]): Finding[] {
  const sorted = facts.map(({ skew }) => skew).sort((a, b) => a - b);
  const usual = sorted[Math.floor(sorted.length / 2)] ?? 0;
  return gathered('clock', facts, ({ skew, uncertain, synchronized }) => {
    const off = skew - usual;
    if (Math.abs(off) > mostSkewSeconds + uncertain) {
      return wrong(
        `${Math.abs(off).toFixed(Math.abs(off) < 60 ? 1 : 0)} s ${off < 0 ? 'behind' : 'ahead of'} the other nodes, but certificates and leases require synchronised clocks`,
        'start NTP on this node',
      );
    }
    return synchronized === 'no'
      ? warning(
          'the clock is correct but not synchronised, so it will drift',
          'start NTP on this node',
        )
      : ok(`within ${mostSkewSeconds} s of the other nodes`);
  });
}

/** Bits of `vcgencmd get_throttled`. Source: Raspberry Pi OS documentation, vcgencmd. */
function judgePower(throttled: number | undefined): Judged {
  if (throttled === undefined) return { state: 'skipped', found: 'vcgencmd is missing' };
  const now = [
    ...(throttled & 0x1 ? ['under-voltage'] : []),
    ...(throttled & 0x2 ? ['clock rate capped'] : []),
    ...(throttled & 0x4 ? ['throttled'] : []),
    ...(throttled & 0x8 ? ['soft temperature limit reached'] : []),
  ];
  if (now.length > 0) {
    return wrong(
      now.join(', '),
      'use a stronger power supply or a shorter cable, or improve the cooling',
    );
  }
  return throttled & 0xf0000
    ? warning('under-voltage or throttling since boot', 'check the power supply and cooling')
    : ok('no under-voltage or throttling since boot');
}
