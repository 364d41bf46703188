/** Equipment that is backed up, and a change that a person makes: it leaves `changed-here` in the configuration. */
import { randomUUID } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Secret } from '@skolo/base/secrets';
import { type ExecSession, HostKeys, openExec } from '@skolo/equipment/transports';
import { type CliOptions, type ConfiguredDevice, type PeerName, typeInto } from '@skolo/simulators';

export const account = { username: 'skolo', password: 'canary-login-7f3a' };
export const enablePassword = 'canary-enable-19c';
/** The text that each change leaves. */
export const mark = 'changed-here';

/** A simulated device that is changed. */
export interface ChangedDevice {
  /** If it is not the one that the proof starts. */
  start?(options: CliOptions): Promise<ConfiguredDevice>;
  /** More of its entry in rack.yaml. */
  entry?: string;
  /** It reports whether it would boot with another configuration. */
  tellsUnsaved?: true;
  /** Its configuration contains a time. */
  ticks?: true;
  change(device: ConfiguredDevice): Promise<unknown>;
}

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

type Change = ChangedDevice['change'];
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

export const typingToVyatta = typing(
  ':~$ ',
  ['configure', `set system domain-name ${mark}.example`, 'commit', 'exit'],
  done,
);

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

export const uploadingToApc = overSsh((session, device) => {
  const text = device.running().toString().replace('rack 4', mark);
  return session.upload('config.ini', Buffer.from(text), { signal });
});
