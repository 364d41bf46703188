/**
 * A device of each model that can be backed up, real or simulated, with its entry in rack.yaml and a change that a person makes: it leaves
 * `changed-here` in the configuration.
 */
import { randomUUID } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Secret } from '@skolo/base/secrets';
import { type ExecSession, HostKeys, openExec } from '@skolo/equipment/transports';
import {
  type CliDevice,
  type ConfiguredDevice,
  peer,
  type ReplayingDevice,
  startApcCard,
  startCiscoIos,
  startEdgeos,
  startEdgeSwitch,
  startEos,
  startFrr,
  startJunos,
  startLinuxHost,
  startMpower,
  startNxos,
  startOpenwrt,
  startProcurve,
  startRouteros,
  startUnifiSwitch,
  startVyos,
  typeInto,
} from '@skolo/simulators';

export const account = { username: 'skolo', password: 'canary-login-7f3a' };
export const enablePassword = 'canary-enable-19c';

/** The text that each device's change leaves. */
export const mark = 'changed-here';

export interface Example {
  port: number;
  /** More of its entry in rack.yaml. */
  entry?: string;
  /** A real host's only accepted one. */
  login?: { username: string; privateKey: string };
  /** Whether it would boot with a different configuration, before and after the change; undefined: it does not report that. */
  unsaved?: readonly [boolean, boolean];
  /** Its current text, where that changes by itself. */
  shown?: () => Buffer;
  change(): Promise<unknown>;
  close(): Promise<void>;
}

type Start = () => Promise<Example | undefined>;

/** What is typed, line by line, and the last line with its answer. */
interface Talk {
  first: string;
  lines: readonly string[];
  /** Text after each line; its end if absent. */
  until?: string;
  last: { keys: string; until: string };
}

const login = { ...account, secondMs: 1 };
const saving = [false, true] as const;
const { signal } = new AbortController();

/** `ticks`: it shows a time. */
type About = Pick<Example, 'entry' | 'unsaved'> & { ticks?: boolean };

function typedInto(
  device: ConfiguredDevice,
  { first, lines, until = '\r\n', last }: Talk,
  { ticks, ...rest }: About,
): Example {
  const keys = lines.map((line) => ({ keys: `${line}\r`, until }));
  return {
    port: device.port,
    ...rest,
    ...(ticks && { shown: () => device.running() }),
    change: () => typeInto(device, account, first, [...keys, last]),
    close: () => device.close(),
  };
}

/** One that replays sessions. */
function edited(device: ReplayingDevice, { ticks, ...rest }: About = {}): Example {
  return {
    port: device.port,
    ...rest,
    ...(ticks && { shown: () => device.running() }),
    change: async () => device.edit((text) => text.replace('phones', mark)),
    close: () => device.close(),
  };
}

/** A Unix whose configuration is a file. */
function withLine(
  device: Pick<ConfiguredDevice, 'host' | 'port' | 'close'>,
  file: string,
  line: string,
): Example {
  const keys = `echo '${line}' >> ${file}\r`;
  return {
    port: device.port,
    change: () =>
      typeInto(device, account, '# ', [
        { keys, until: '\r\n' },
        { keys: 'echo it is done\r', until: '\nit is done' },
      ]),
    close: () => device.close(),
  };
}

const showVersion = (until: string) => ({ keys: 'show version\r', until });
const vyatta: Talk = {
  first: ':~$ ',
  lines: ['configure', `set system domain-name ${mark}.example`, 'commit', 'exit'],
  last: { keys: 'echo it is done\r', until: '\nit is done' },
};

/** By the name in rack.yaml. Undefined: what it requires is not installed. */
export const examples: ReadonlyMap<string, Start> = new Map<string, Start>([
  ['frr', frr],
  ['linux', linux],
  [
    'cisco-ios',
    async () =>
      typedInto(
        await startCiscoIos({ ...login, ports: 4, privilege: 15 }),
        {
          first: '#',
          lines: ['configure terminal', 'interface Gi1/0/3', `description ${mark}`, 'end'],
          last: showVersion('Configuration register'),
        },
        { unsaved: saving },
      ),
  ],
  ['nxos', async () => edited(await startNxos(login), { unsaved: saving, ticks: true })],
  [
    'eos',
    async () =>
      edited(await startEos({ ...login, enablePassword }), { unsaved: saving, ticks: true }),
  ],
  [
    'generic',
    async () =>
      edited(await startEos({ ...login, enablePassword }), {
        ticks: true,
        entry:
          "prompt: '^[\\w-]+(?:\\(.*\\))?[>#]$', pagingOff: [terminal length 0], enable: enable, commands: [show running-config], complete: { end: '^end$' }, volatile: ['^! Time:']",
      }),
  ],
  ['procurve', async () => edited(await startProcurve(login), { unsaved: saving })],
  [
    'edgeswitch',
    async () =>
      typedInto(
        await startEdgeSwitch({ ...login, ports: 8 }),
        {
          first: ' >',
          lines: [
            ...['enable', 'configure', 'interface 0/3'],
            ...[`description '${mark}'`, 'exit', 'exit'],
          ],
          last: showVersion('Software Version'),
        },
        { unsaved: saving, ticks: true },
      ),
  ],
  ['junos', async () => edited(await startJunos(login))],
  [
    'routeros',
    async () => {
      const device = await startRouteros(login);
      const keys = `/interface ethernet set ether3 comment=${mark}\r`;
      return {
        port: device.port,
        shown: () => device.running(),
        change: () =>
          typeInto(device, account, '> ', [
            { keys, until: '> ' },
            { keys: '/system identity print\r', until: 'name: ' },
          ]),
        close: () => device.close(),
      };
    },
  ],
  ['edgeos', async () => typedInto(await startEdgeos(login), vyatta, { unsaved: saving })],
  ['vyos', async () => typedInto(await startVyos(login), vyatta, { unsaved: saving })],
  [
    'unifi-switch',
    async () => withLine(await startUnifiSwitch(login), '/tmp/system.cfg', `snmp.location=${mark}`),
  ],
  [
    'mpower',
    async () => {
      const device = await startMpower(login);
      const line = `echo snmp.location=${mark} >> /tmp/system.cfg`;
      return {
        port: device.port,
        change: () => overSsh(device, (session) => session.execBytes(line, { signal })),
        close: () => device.close(),
      };
    },
  ],
  ['openwrt', async () => withLine(await startOpenwrt(login), '/etc/config/network', `# ${mark}`)],
  ['apc-rpdu', () => apc('rpdu')],
  ['apc-rpdu2', () => apc('rpdu2')],
]);

async function apc(generation: 'rpdu' | 'rpdu2'): Promise<Example> {
  const device = await startApcCard({ ...login, generation });
  return {
    port: device.port,
    shown: () => device.running(),
    change: () =>
      overSsh(device, (session) =>
        session.upload(
          'config.ini',
          Buffer.from(device.running().toString().replace('rack 4', mark)),
          { signal },
        ),
      ),
    close: () => device.close(),
  };
}

async function frr(): Promise<Example | undefined> {
  const configuration = 'ip route 10.1.0.0/16 Null0\n';
  // As root it is a host with a shell, which shows what it would boot with.
  const shell = await startFrr({ configuration, account: 'shell' });
  const router = shell ?? (await startFrr({ configuration }));
  if (router === undefined) return undefined;
  await router.vtysh('write memory');
  const { port, username, privateKey } = router;
  return {
    port,
    login: { username, privateKey },
    ...(shell && { unsaved: saving }),
    change: () => router.vtysh('configure terminal', `ip prefix-list ${mark} permit 10.7.0.0/16`),
    close: () => router.close(),
  };
}

async function linux(): Promise<Example | undefined> {
  const host = await startLinuxHost();
  if (host === undefined) return undefined;
  await host.write('etc/hostname', 'host-1\n');
  const { port, username, privateKey, root } = host;
  return {
    port,
    login: { username, privateKey },
    entry: `files: ["${root}/etc/**"]`,
    change: () => host.write('etc/motd', `${mark}\n`),
    close: () => host.close(),
  };
}

/** A client that still offers ssh's algorithms of 2011. */
async function overSsh<T>(
  { host, port }: CliDevice,
  work: (session: ExecSession) => Promise<T>,
): Promise<T> {
  const credentials = {
    login: 'ann',
    username: account.username,
    password: new Secret(account.password),
    legacySsh: true,
  };
  const target = { name: 'device', address: host, port, credentials };
  const hostKeys = new HostKeys(join(tmpdir(), randomUUID()));
  const session = await openExec(target, { hostKeys }, signal);
  try {
    return await work(session);
  } finally {
    await session.close();
  }
}

/** Why it is not available; undefined: it is. */
export function missing(model: string): string | undefined {
  if (peer('sshd') === undefined && ['frr', 'linux'].includes(model)) return 'sshd';
  return model === 'frr' && peer('frr') === undefined ? 'FRR' : undefined;
}
