/** Judges what nodes say of themselves, and what the API server says of them. */
import type { ClusterNode } from '@skolo/k3s';
import { type Finding, gathered } from './finding.ts';
import type { NodeFacts } from './node-facts.ts';

type Judged = Pick<Finding, 'state' | 'text'>;
const ok = (text: string): Judged => ({ state: 'ok', text });
const wrong = (text: string): Judged => ({ state: 'wrong', text });
const warning = (text: string): Judged => ({ state: 'warning', text });

/** As Go names what dpkg names. */
const goNames: Record<string, string> = { amd64: 'amd64', arm64: 'arm64', armhf: 'arm' };
/** Between two nodes: leases and tokens bear more, logs and traces do not. */
const mostSkewSeconds = 1;
const hot = 80;
/** Of a unit, since the computer started. */
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
          : wrong(`not ready: ${complaints.join('; ')}; journalctl there says why`),
    ),
    ...gathered('version', nodes, ({ version }) =>
      version === server?.version
        ? ok(version)
        : wrong(`${version}, and the server has ${server?.version}; bring all to one version`),
    ),
    ...gathered('architecture', nodes, ({ name, architecture }) => {
      const userland = known.get(name)?.userland;
      if (userland === undefined) return ok(architecture);
      return goNames[userland] === architecture
        ? ok([...new Set(nodes.map((each) => each.architecture))].join(', '))
        : wrong(
            `the kubelet is of ${architecture}, and the programs of the computer of ${userland}: images of the wrong kind are pulled; reset the node, and set it up again`,
          );
    }),
  ];
}

export function judgeFacts(facts: readonly NodeFacts[]): Finding[] {
  return [
    ...judgeClocks(facts),
    ...gathered('memory cgroup', facts, ({ cgroupMemory }) =>
      cgroupMemory === 'yes'
        ? ok('counted')
        : wrong(
            'the kernel counts no memory of cgroups; add cgroup_memory=1 cgroup_enable=memory to the one line of /boot/firmware/cmdline.txt, and restart it (skolo pi setup does)',
          ),
    ),
    ...gathered('swap', facts, ({ swapKib }) =>
      swapKib === 0
        ? ok('off')
        : warning(
            `${Math.round(swapKib / 1024)} MiB are on; skolo pi kubernetes deploy turns it off`,
          ),
    ),
    ...gathered('power', facts, ({ throttled }) => judgePower(throttled)),
    ...gathered('temperature', facts, ({ celsius }) =>
      celsius === undefined
        ? { state: 'not tried', text: 'no sensor there' }
        : celsius < hot
          ? ok(`below ${hot} °C`)
          : warning(`${Math.round(celsius)} °C; its clock rate falls from ${hot} °C on: cool it`),
    ),
    ...gathered('disk', facts, ({ freeMib, usedPercent, unit }) =>
      usedPercent < 85
        ? ok('less than 85 % used')
        : wrong(
            `${usedPercent} % used, ${freeMib} MiB free; kubelet removes images and pods from 85 % on: make room with ${unit === 'kubelet' ? '' : 'k3s '}crictl rmi --prune`,
          ),
    ),
    ...gathered('restarts', facts, ({ unit, restarts = 0 }) =>
      restarts < manyRestarts
        ? ok('none of the unit, or few')
        : wrong(
            `${unit} was started again ${restarts} times; journalctl -u ${unit} there says why`,
          ),
    ),
    ...gathered('TLS', facts, ({ tlsTimeouts, notYetValid }) =>
      notYetValid > 0
        ? wrong(
            'certificates were not valid yet, or no longer, in the last hour: its clock was wrong; look at NTP there, and restart its unit',
          )
        : tlsTimeouts > 0
          ? wrong(
              `${tlsTimeouts} × "TLS handshake timeout" in the last hour: the API server is too slow to answer; look at its restarts, its processor and the fsync of its disk (skolo pi kubernetes bench)`,
            )
          : ok('no timeout of a handshake in the last hour'),
    ),
    ...gathered('database', facts, ({ slowDatabase }) =>
      slowDatabase < 10
        ? ok('answers in time')
        : wrong(
            `${slowDatabase} slow requests in the last hour: the card is too slow for the database; put the server on an SSD`,
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
        `${Math.abs(off).toFixed(Math.abs(off) < 60 ? 1 : 0)} s ${off < 0 ? 'behind' : 'ahead of'} the others; certificates and leases need one time: start NTP there`,
      );
    }
    return synchronized === 'no'
      ? warning('right, and not synchronized: it drifts; start NTP there')
      : ok(`within ${mostSkewSeconds} s of each other`);
  });
}

/** Bits of `vcgencmd get_throttled`. Source: documentation of Raspberry Pi OS, vcgencmd. */
function judgePower(throttled: number | undefined): Judged {
  if (throttled === undefined) return { state: 'not tried', text: 'no vcgencmd there' };
  const now = [
    ...(throttled & 0x1 ? ['under-voltage'] : []),
    ...(throttled & 0x2 ? ['its clock rate is capped'] : []),
    ...(throttled & 0x4 ? ['throttled'] : []),
    ...(throttled & 0x8 ? ['at the soft limit of temperature'] : []),
  ];
  if (now.length > 0) {
    return wrong(
      `${now.join(', ')} now; use a stronger power supply or a shorter cable, or cool it`,
    );
  }
  return throttled & 0xf0000
    ? warning('under-voltage or throttling since its start; look at its power supply and cooling')
    : ok('enough since the start');
}
