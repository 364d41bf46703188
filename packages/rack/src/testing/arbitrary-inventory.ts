/** Valid inventories of all shapes, for property tests: plain data as somebody might write it, without ranges. */
import fc from 'fast-check';
import { escapeRange } from '../ranges/ranges.ts';

/** Text that YAML and ranges would like to misread. */
const line = fc.oneof(
  fc.constantFrom(
    'shelf [1-3]',
    '\\[7]',
    'yes',
    '012',
    '1e3',
    ': ',
    '# no',
    '- x',
    '"',
    "it's",
    'ä€😀',
    '[1-2,4]x',
    '{a}',
    'null',
  ),
  fc.string({ minLength: 1, maxLength: 20 }).filter((text) => !/\p{Cc}/u.test(text)),
);
const word = fc.stringMatching(/^[a-z][a-z0-9]{0,8}$/);

const credentials = fc.constantFrom(
  { serviceAccountKey: 'secrets/key.json' },
  { refreshToken: { file: 'secrets/refresh.json' } },
  { refreshToken: 'secrets/refresh.json', tokenUrl: 'http://127.0.0.1:8081/token' },
  { externalAccount: '/etc/skolo/external.json' },
  { fixed: 'secrets/token' },
  { impersonate: 'bots@p.iam.gserviceaccount.com', from: { fixed: 'secrets/token' } },
  {
    impersonate: 'bots@p.iam.gserviceaccount.com',
    from: { serviceAccountKey: 'secrets/key.json' },
    delegates: ['middle@p.iam.gserviceaccount.com'],
    endpoint: 'https://iamcredentials.example.com',
  },
);

const login = fc.constantFrom(
  { username: 'admin', password: 'secrets/pw' },
  {
    username: 'admin',
    privateKey: { file: 'secrets/id' },
    passphrase: { env: 'PASSPHRASE' },
    legacySsh: true,
  },
  {
    username: 'admin',
    snmp: {
      version: 3,
      user: 'skolo',
      authKey: 'secrets/a',
      privKey: 'secrets/b',
      privProtocol: 'des',
    },
  },
  { username: 'admin', snmp: { version: '2c', community: 'secrets/community' } },
);

const device = fc.record(
  {
    kind: fc.constantFrom('android', 'ios', 'chromeos', 'linux', 'pyocd', 'auto', 'none'),
    serial: line,
  },
  { requiredKeys: [] },
);

const metadata = fc.record(
  {
    id: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map(String),
    zone: fc.constant('us-skolo-1'),
    machineType: word,
    description: line,
    tags: fc.uniqueArray(word, { maxLength: 3 }),
    attributes: fc.dictionary(fc.stringMatching(/^[A-Za-z0-9_-]{1,10}$/), line, { maxKeys: 3 }),
  },
  { requiredKeys: [] },
);

const machine = fc.record({
  kind: fc.constantFrom('rpi', 'host'),
  feeds: fc.array(fc.nat(9), { maxLength: 2 }),
  uplink: fc.option(fc.nat(9)),
  devices: fc.array(device, { maxLength: 3 }),
  hubs: fc.boolean(),
  identity: fc.option(fc.nat(9)),
  login: fc.option(fc.nat(9)),
  rest: fc.record(
    {
      shelf: line,
      label: line,
      offSeconds: fc.constantFrom(0.5, 15),
      seenBack: fc.constantFrom<object>(
        { ssh: 22 },
        { icmp: true, timeoutSeconds: 9 },
        { http: 'http://127.0.0.1/up' },
      ),
      metadata,
      swarming: fc.constantFrom<object>(
        { thresholds: { hotCelsius: 50 } },
        { server: 'https://swarming.example.com' },
        {},
      ),
      port: fc.integer({ min: 1, max: 65_535 }),
    },
    { requiredKeys: [] },
  ),
});

const plan = fc.record({
  timezone: fc.constantFrom('UTC', 'America/New_York', 'Europe/Berlin'),
  identities: fc.array(credentials, { minLength: 1, maxLength: 3 }),
  logins: fc.array(login, { minLength: 1, maxLength: 3 }),
  pdus: fc.array(fc.array(fc.nat(9), { maxLength: 2 }), { minLength: 1, maxLength: 4 }),
  switches: fc.array(fc.record({ feed: fc.option(fc.nat(9)), uplink: fc.option(fc.nat(9)) }), {
    minLength: 1,
    maxLength: 4,
  }),
  expressions: fc.boolean(),
  machines: fc.uniqueArray(machine, {
    maxLength: 8,
    selector: ({ rest }) => rest.metadata?.id ?? Symbol('none'),
  }),
  aliases: fc.boolean(),
  access: fc.constantFrom<object>(
    {},
    { anonymousRead: ['10.0.0.0/8', 'fd00::/8'] },
    {
      google: { audience: 'lab', emails: { 'ann@example.com': 'admin' } },
      tokens: { file: 'secrets/tokens.yaml' },
    },
  ),
  cooldownSeconds: fc.integer({ min: 0, max: 86_400 }),
  callers: fc.boolean(),
});

type Plan = typeof plan extends fc.Arbitrary<infer T> ? T : never;

/** An inventory that parseRack takes. */
export const inventory: fc.Arbitrary<object> = plan.map(toInventory);

type Outlets = (equipment: string) => string;

/** The next free outlet of a device. */
function freeOutlets(): Outlets {
  const used = new Map<string, number>();
  return (name) => {
    const next = (used.get(name) ?? 0) + 1;
    used.set(name, next);
    return `${name}/${next}`;
  };
}

const pick = (names: string[], index: number | null) =>
  index === null ? undefined : names[index % names.length];

/** What the parts of a plan are called. */
function namesIn(from: Plan) {
  const identities = from.identities.map((_, i) => `identity-${i}`);
  const logins = from.logins.map((_, i) => `login-${i}`);
  const loginsOfMachines = [
    'machines',
    ...logins.filter((_, i) => !('password' in (from.logins[i] ?? {}))),
  ];
  const pdus = from.pdus.map((_, i) => `pdu-${i}`);
  const switches = from.switches.map((_, i) => `switch-${i}`);
  return { identities, logins, loginsOfMachines, pdus, switches };
}

type Names = ReturnType<typeof namesIn>;

function equipmentOf(from: Plan, { pdus, switches, logins }: Names, outlet: Outlets): object {
  return {
    ...entries(pdus, (name, i) => ({
      model: 'synaccess',
      address: `10.0.1.${i + 1}`,
      // Only earlier ones feed later ones.
      ...(i > 0 && feeds((from.pdus[i] ?? []).map((feed) => outlet(pdus[feed % i] ?? name)))),
    })),
    ...entries(switches, (_, i) => {
      const { feed = null, uplink = null } = from.switches[i] ?? {};
      const source = pick(pdus, feed);
      const above = i > 0 ? pick(switches.slice(0, i), uplink) : undefined;
      return {
        model: 'edgeswitch',
        address: `10.0.2.${i + 1}`,
        login: logins[0],
        ...(source && { power: outlet(source) }),
        uplink: above ? outlet(above) : 'internet',
      };
    }),
    ...(from.expressions && {
      relays: {
        model: 'command-switch',
        on: ['/bin/relay', 'on', '{outlet}', '\\[1-3]'],
        off: ['/bin/relay', 'off', '{outlet}'],
        read: { command: ['/bin/relay', '{outlet}'], on: '^on[0-9]$', off: '^off' },
      },
    }),
  };
}

function machinesOf(from: Plan, names: Names, outlet: Outlets): object {
  const { identities, loginsOfMachines, pdus, switches } = names;
  return entries(
    from.machines.map((_, i) => `machine-${i}`),
    (_, i) => {
      const {
        kind,
        feeds: sources = [],
        uplink = null,
        devices = [],
        hubs,
        identity = null,
        login = null,
        rest = {},
      } = from.machines[i] ?? {};
      const from_ = sources.map((feed) =>
        outlet([...pdus, ...switches][feed % (pdus.length + switches.length)] ?? ''),
      );
      const poe = from_.find((feed) => feed.startsWith('switch'));
      const port = uplink === null ? undefined : (poe ?? outlet(pick(switches, uplink) ?? ''));
      const attached = devices.map((device, n) => ({
        name: `phone-${n}`,
        ...device,
        ...(hubs && { power: `usb/1-1.3.${n + 1}` }),
      }));
      return escaped({
        kind,
        address: `10.0.3.${i + 1}`,
        ...(i % 2 === 0 && { mac: `DC-A6-32-00-00-0${i}` }),
        ...feeds(from_),
        ...(port !== undefined && { uplink: port }),
        ...(identity !== null && { identity: pick(identities, identity) }),
        ...(login !== null && { login: pick(loginsOfMachines, login) }),
        ...(attached.length > 0 && { devices: attached }),
        ...rest,
      });
    },
  );
}

function toInventory(from: Plan): object {
  const outlet = freeOutlets();
  const names = namesIn(from);
  const { identities, logins } = names;
  // The outlets of the equipment come first.
  const equipment = equipmentOf(from, names, outlet);
  const machines = machinesOf(from, names, outlet);
  return {
    rack: 'lab',
    timezone: from.timezone,
    network: { subnet: '10.0.0.0/16' },
    jumphost: {
      name: 'jumphost',
      address: '10.0.0.8',
      ...(from.aliases && { aliases: ['metadata', 'files.lab'] }),
    },
    identities: entries(identities, (_, i) => ({
      project: 'my-project',
      credentials: from.identities[i],
    })),
    access: from.access,
    logins: {
      ...entries(logins, (_, i) => from.logins[i]),
      machines: { username: 'admin', privateKey: 'secrets/id' },
    },
    equipment,
    ...(from.machines.length > 0 && { machines }),
    services: {
      'power-cycle-daemon': { cooldownSeconds: from.cooldownSeconds },
      ...(from.callers && {
        'metadata-server': { callers: [{ cidr: '10.42.0.0/16', identity: identities[0] }] },
      }),
    },
  };
}

function feeds(outlets: string[]): { power?: string | string[] } {
  const [only, ...more] = outlets;
  if (only === undefined) return {};
  return { power: more.length === 0 ? only : outlets };
}

function entries<T>(names: string[], entry: (name: string, index: number) => T): Record<string, T> {
  return Object.fromEntries(names.map((name, i) => [name, entry(name, i)]));
}

/** Brackets are written so that they are none of a range. */
function escaped(value: unknown): unknown {
  if (typeof value === 'string') return escapeRange(value);
  if (Array.isArray(value)) return value.map(escaped);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, escaped(item)]));
}
