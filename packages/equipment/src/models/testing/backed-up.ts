/** Equipment that is backed up, and a change that a person makes: it leaves `changed-here` in the configuration. */
import { randomUUID } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Secret } from '@skolo/base/secrets';
import { type ExecSession, HostKeys, openExec } from '@skolo/equipment/transports';
import {
  type CliOptions,
  type ConfiguredDevice,
  type DeviceFault,
  type PeerName,
  startApcCard,
  typeInto,
  type VyattaDevice,
} from '@skolo/simulators';
import type { Identity } from '../contract/backup.ts';

export const account = { username: 'skolo', password: 'canary-login-7f3a' };
export const enablePassword = 'canary-enable-19c';
/** The text that each change leaves. */
export const mark = 'changed-here';

export type SimulatedOptions = CliOptions & { configuration?: string; enablePassword?: string };

/** A simulated device, a change of its configuration, and what its backups contain. */
export interface SimulatedBackup {
  /** If it is not the one that the proof starts. */
  start?(options: SimulatedOptions): Promise<ConfiguredDevice>;
  /** More of its entry in rack.yaml. */
  entry?: string;
  /** It reports whether it would boot with another configuration. */
  tellsUnsaved?: true;
  /** Its configuration contains a time. */
  ticks?: true;
  change(device: ConfiguredDevice): Promise<unknown>;
  /** How the device identifies itself in a reading. */
  identity: Identity;
  changedBy?: RegExp;
  /** What a reading contains; default: the running configuration. */
  shows?(device: ConfiguredDevice): Buffer;
  /** If a reading is an archive: its files. */
  contents?(device: ConfiguredDevice): ReadonlyMap<string, Buffer>;
  /** Another form of its backups, and the key of rack.yaml that selects it. */
  also?: { entry: string; shows(device: ConfiguredDevice): Buffer };
  /** It is read in channels: without prompt, pager, log messages and second password. */
  inChannels?: true;
  /** Results of faults that differ from the usual ones. */
  outcomes?: Outcomes;
  /** Texts that are not its configuration, and why. */
  incomplete?: readonly (readonly [text: string, why: string])[];
  masks?: Masked;
}

export interface Masked {
  /** Text that all of its secrets contain, and their minimum number. */
  secret: RegExp;
  least: number;
  /** Is shown. */
  kept: readonly string[];
}

/** `whole`: it is read nevertheless. `failed`: it is not. `either`: both are fine, as long as nothing wrong is stored. */
type Outcome = 'whole' | 'failed' | 'either';
export type Outcomes = Partial<Record<DeviceFault, Outcome>>;

/** A real one. */
export interface RealDevice {
  needs: readonly PeerName[];
  /** Undefined: it cannot run here. */
  start(): Promise<BackedUp | undefined>;
}

export interface BackedUp {
  port: number;
  entry?: string | undefined;
  /** Its only accepted login. */
  login?: { username: string; privateKey: string };
  tellsUnsaved?: boolean | undefined;
  /** Its current text, if that changes by itself. */
  shown?: (() => Buffer) | undefined;
  change(): Promise<unknown>;
  close(): Promise<void>;
}

type Change = SimulatedBackup['change'];
const { signal } = new AbortController();

/** Types lines, and then one whose answer ends with a text. */
export function typing(
  first: string,
  lines: readonly string[],
  last: readonly [line: string, until: string],
  until = '\r\n',
): Change {
  const keys = [...lines.map((line) => [line, until] as const), last];
  return (device) =>
    typeInto(
      device,
      account,
      first,
      keys.map(([line, end]) => ({ keys: `${line}\r`, until: end })),
    );
}

const done = ['echo it is done', '\nit is done'] as const;

/** Of EdgeOS and VyOS. */
export const vyattaBackup = {
  tellsUnsaved: true,
  change: typing(
    ':~$ ',
    ['configure', `set system domain-name ${mark}.example`, 'commit', 'exit'],
    done,
  ),
  shows: (device) => device.startup(),
  also: { entry: 'export: commands', shows: (device: VyattaDevice) => device.commands() },
  incomplete: [
    ['', 'the configuration is empty'],
    ['system {\n    host-name x\n', 'the block "system" is not closed'],
    ['system {\n    host-name x\n}\n}\n', 'line 4 closes a block that is not open'],
    [
      'system {\n    host-name x\n}\n',
      'the line with the component versions, which should be at the end, is missing',
    ],
    [
      'system {\n    host-name x\n}\n\n/* Warning: Do not remove the following line. */\n/* === vyatta-config-version: "a@1" === */\n',
      'the last line is not the "Release version" comment',
    ],
    [
      'interfaces {\n}\n\n// Warning: Do not remove the following line.\n// vyos-config-version: "a@1"\n// Release version: 1.4\n',
      'the configuration does not contain a "system" block',
    ],
  ],
} satisfies Partial<SimulatedBackup>;

/** To a file of a Unix. */
export function appending(file: string, line: string): Change {
  return typing('# ', [`echo '${line}' >> ${file}`], done);
}

/** Of a device that replays sessions. */
export const edited: Change = async (device) => {
  if (!('edit' in device) || typeof device.edit !== 'function')
    throw new Error('it cannot be edited');
  device.edit((text: string) => text.replace('phones', mark));
};

/** Over a client that still offers ssh's algorithms of 2011. */
export function overSsh(
  work: (session: ExecSession, device: ConfiguredDevice) => Promise<unknown>,
): Change {
  return async (device) => {
    const password = new Secret(account.password);
    const credentials = { login: 'ann', username: account.username, password, legacySsh: true };
    const target = { name: 'device', address: device.host, port: device.port, credentials };
    const hostKeys = new HostKeys(join(tmpdir(), randomUUID()));
    const session = await openExec(target, { hostKeys }, signal);
    try {
      await work(session, device);
    } finally {
      await session.close();
    }
  };
}

/** Of an APC rack PDU's card. */
export function apcBackup(generation: 'rpdu' | 'rpdu2'): SimulatedBackup {
  return {
    // A broken session is released late, which is not tested here.
    start: (options) => startApcCard({ ...options, generation, maxSessions: 4 }),
    ticks: true,
    change: overSsh((session, device) => {
      const text = device.running().toString().replace('rack 4', mark);
      return session.upload('config.ini', Buffer.from(text), { signal });
    }),
    identity: { hostname: 'pdu-1' },
    inChannels: true,
    masks: { secret: /s3cret/gi, least: 5, kept: ['UserProfile1AuthProtocol=SHA'] },
    incomplete: [
      ['', 'NetworkTCP/IP'],
      ['E101: Command Not Found\n', 'NetworkTCP/IP'],
      ['[NetworkTCP/IP]\nSystemIP=0.0.0.0\n', 'so the configuration is truncated'],
      ['[NetworkTCP/IP]\n[SystemDate]\n; Da', 'is incomplete'],
    ],
  };
}
