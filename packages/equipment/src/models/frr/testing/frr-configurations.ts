/** Small configurations of FRRouting, as a person would type them. */
import fc from 'fast-check';

const prefix = fc.constantFrom('10.1.0.0/16', '10.2.0.0/16', '10.3.3.0/24', '0.0.0.0/0');
const address = fc.constantFrom('10.0.0.1', '10.0.0.2', '172.16.0.9');
const name = fc.constantFrom('A', 'in-filter', 'OUT_1');
const number = fc.integer({ min: 1, max: 200 });
const asNumber = fc.constantFrom(65001, 65002, 4_200_000_000);

function some(line: fc.Arbitrary<string>, most = 3): fc.Arbitrary<string[]> {
  return fc.uniqueArray(line, { maxLength: most });
}

/** With lines of which each may be there, in this order. */
function context(line: fc.Arbitrary<string>, ...lines: fc.Arbitrary<string[]>[]) {
  return fc.tuple(line, ...lines).map(([first, ...rest]) => {
    const children = rest.flat().map((child) => ` ${child}`);
    return [first, ...children, 'exit'];
  });
}

const staticRoutes = some(
  fc.oneof(
    fc.tuple(prefix, address).map(([to, via]) => `ip route ${to} ${via}`),
    fc.tuple(prefix, number).map(([to, distance]) => `ip route ${to} Null0 ${distance}`),
    fc.tuple(prefix, number).map(([to, tag]) => `ip route ${to} blackhole tag ${tag}`),
    fc.constantFrom('ipv6 route 2001:db8:1::/48 Null0', 'ipv6 route ::/0 2001:db8::1'),
  ),
);

const vrf = context(
  fc.constantFrom('vrf red', 'vrf blue'),
  some(fc.tuple(prefix, address).map(([to, via]) => `ip route ${to} ${via}`)),
);

const networkInterface = context(
  fc.constantFrom('interface eth7', 'interface lo'),
  some(fc.constantFrom('description up link', 'description other'), 1),
  some(
    fc.constantFrom(
      'ip address 10.5.5.1/24',
      'ip address 10.6.6.1/24',
      'ipv6 address 2001:db8::5/64',
    ),
  ),
  some(
    number.map((cost) => `ip ospf cost ${cost}`),
    1,
  ),
  some(
    fc.constantFrom(
      'ip ospf message-digest-key 1 md5 canary-1',
      'ip ospf message-digest-key 1 md5 canary-2',
    ),
    1,
  ),
);

const lists = some(
  fc.oneof(
    fc
      .tuple(name, number, prefix)
      .map(([list, seq, to]) => `ip prefix-list ${list} seq ${seq} permit ${to} le 30`),
    fc
      .tuple(name, number, prefix)
      .map(([list, seq, to]) => `access-list ${list} seq ${seq} deny ${to}`),
    fc
      .tuple(name, number)
      .map(([list, seq]) => `ipv6 prefix-list ${list} seq ${seq} permit 2001:db8::/32 le 64`),
    fc
      .tuple(name, number)
      .map(([list, seq]) => `bgp as-path access-list ${list} seq ${seq} permit ^65_`),
    fc
      .tuple(name, number)
      .map(([list, seq]) => `bgp community-list standard ${list} seq ${seq} permit 65001:${seq}`),
  ),
  5,
);

const routeMap = context(
  fc
    .tuple(name, fc.constantFrom('permit', 'deny'), fc.constantFrom(10, 20))
    .map(([map, what, seq]) => `route-map ${map} ${what} ${seq}`),
  some(fc.constantFrom('description of a map'), 1),
  some(
    name.map((list) => `match ip address prefix-list ${list}`),
    1,
  ),
  some(
    number.map((metric) => `set metric ${metric}`),
    1,
  ),
  some(
    number.map((preference) => `set local-preference ${preference}`),
    1,
  ),
  some(fc.constantFrom('set community 65001:7', 'set community 65001:7 additive'), 1),
  some(fc.constantFrom('on-match next'), 1),
);

/** `deny` after `permit` of one number would keep its `on-match next`, which FRR prints and does not read. */
const routeMaps = fc
  .uniqueArray(routeMap, {
    maxLength: 2,
    selector: ([first = '']) => first.replace(/ (permit|deny) /, ' '),
  })
  .map((all) => all.flat());

const neighbor = fc
  .record({
    who: fc.constantFrom(
      '10.0.0.21',
      '10.0.0.22',
      '2001:db8::22',
      'eth7 interface',
      'PEERS peer-group',
    ),
    remote: asNumber,
    lines: some(
      fc.constantFrom(
        'description to them',
        'description to us',
        'password canary-3',
        'password canary-4',
        'timers 5 15',
        'ebgp-multihop 3',
        'shutdown',
        'update-source 10.0.0.1',
      ),
      3,
    ),
    family: some(
      fc.oneof(
        name.map((map) => `route-map ${map} in`),
        fc.constantFrom('next-hop-self', 'soft-reconfiguration inbound'),
      ),
      2,
    ),
  })
  .map(({ who, remote, lines, family }) => {
    const id = who.split(' ')[0] ?? '';
    const first = who.endsWith('interface')
      ? [`neighbor ${id} interface remote-as ${remote}`]
      : who.endsWith('peer-group')
        ? [`neighbor ${id} peer-group`, `neighbor ${id} remote-as ${remote}`]
        : [`neighbor ${id} remote-as ${remote}`];
    return {
      id,
      lines: [...first, ...lines.map((line) => `neighbor ${id} ${line}`)],
      family: family.map((line) => `neighbor ${id} ${line}`),
    };
  });

const bgp = fc
  .record({
    asNumber: fc.constantFrom(65001, 65002),
    own: some(
      fc.constantFrom(
        'bgp router-id 10.0.0.1',
        'no bgp default ipv4-unicast',
        'bgp log-neighbor-changes',
        'no bgp ebgp-requires-policy',
        'timers bgp 10 30',
      ),
    ),
    neighbors: fc.uniqueArray(neighbor, { maxLength: 3, selector: ({ id }) => id }),
    networks: some(fc.tuple(prefix).map(([to]) => `network ${to}`)),
    redistribute: some(
      fc.constantFrom(
        'redistribute static',
        'redistribute connected',
        'redistribute static metric 5',
      ),
      1,
    ),
    vrf: fc.boolean(),
  })
  .map(({ asNumber: own, ...all }) => [
    `router bgp ${own}`,
    ...all.own.map((line) => ` ${line}`),
    ...all.neighbors.flatMap(({ lines }) => lines.map((line) => ` ${line}`)),
    ' address-family ipv4 unicast',
    ...[...all.networks, ...all.redistribute, ...all.neighbors.flatMap(({ family }) => family)].map(
      (line) => `  ${line}`,
    ),
    ' exit-address-family',
    'exit',
    ...(all.vrf ? [`router bgp ${own} vrf red`, ' bgp router-id 10.9.9.9', 'exit'] : []),
  ]);

const ospf = context(
  fc.constant('router ospf'),
  some(fc.constantFrom('ospf router-id 10.0.0.1', 'ospf router-id 10.0.0.2'), 1),
  some(prefix.map((to) => `network ${to} area 0`)),
  some(fc.constantFrom('redistribute static', 'redistribute bgp metric 20'), 2),
  some(fc.constantFrom('passive-interface eth7', 'default-information originate always'), 2),
);

const passwords = some(
  fc.constantFrom(
    'password canary-5',
    'password canary-6',
    'enable password canary-7',
    'log syslog informational',
    'banner motd line keep out',
  ),
  3,
);

function maybe(block: fc.Arbitrary<string[]>): fc.Arbitrary<string[]> {
  return fc.option(block, { nil: [], freq: 2 });
}

/** Lines to type at `configure terminal`. `daemons` that do not run are left out. */
export function frrConfigurations(daemons: readonly string[]): fc.Arbitrary<string[]> {
  const blocks = [
    staticRoutes,
    maybe(vrf),
    ...(daemons.includes('zebra') ? [passwords, maybe(networkInterface), lists, routeMaps] : []),
    ...(daemons.includes('bgpd') ? [maybe(bgp)] : []),
    ...(daemons.includes('ospfd') ? [maybe(ospf)] : []),
  ];
  return fc.tuple(...blocks).map((all) => all.flat());
}
