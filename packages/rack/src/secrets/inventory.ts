/**
 * Decides which program reads each secret of a rack, and of which kind it is: users and destinations, derived from rack.yaml. The
 * values are in a store (packages/fleet/src/secret-store).
 */
import type { Rack } from '../rack/rack.ts';
import type { JumphostService } from '../schema/service-ports.ts';
import { secretKeys } from './keys.ts';
import { tokenSecrets } from './monitoring.ts';
import { type SecretReference, secretReferences } from './references.ts';
import { serviceSecrets } from './service-secrets.ts';

export type SecretKind =
  | 'password'
  | 'passphrase'
  | 'ssh-key'
  | 'snmp-community'
  | 'snmp-key'
  | 'token'
  /** Signs requests to all agents. */
  | 'agent-key'
  /** Made by `skolo token new`. */
  | 'api-token'
  /** The file of `access.tokens`. */
  | 'token-file'
  | 'service-account-key'
  | 'refresh-token'
  | 'external-account'
  | 'fixed-token'
  /** Any type that Google's tools write. */
  | 'key-file'
  | 'tls-key'
  /** Delivered like a secret, but not secret. */
  | 'certificate'
  | 'adb-key'
  | 'adb-public-key'
  | 'age-identity'
  /** Authenticates off-site copies. */
  | 'backup-key'
  | 'k3s-token'
  /** Signs the jumphost's statement. It never leaves the store. */
  | 'rack-key';

/** A key of a Secret in the cluster. */
export interface SecretKey {
  namespace: string;
  secret: string;
  key: string;
}

/** A file on the jumphost. */
export interface SecretFilePlace {
  /** The unit that reads it. */
  unit: string;
  /** Absolute. */
  path: string;
  /** For a variable: the path is a file of variables, and this is the name in it. */
  variable?: string;
  /** Who may read it, besides root. */
  gid: number;
}

export interface RackSecret {
  /** Of the value in the store: `switch`, `bots.json`. */
  name: string;
  /** Its location in the store: `rack4/switch`, or `etc/k3s-node-token` if racks share it. */
  place: string;
  kind: SecretKind;
  /** Paths in rack.yaml. */
  where: string[];
  /** Its files next to rack.yaml in pods: `secrets/switch`. */
  paths: string[];
  /** Programs receive it as an environment variable, and read it only when they start. */
  isVariable: boolean;
  /** Names of `logins` that sign in with it. */
  logins: string[];
  /** Services and programs that read it. */
  users: string[];
  keys: SecretKey[];
  files: SecretFilePlace[];
}

/** Fallback units in deploy/systemd, and the group of each. */
const units = {
  'metadata-server': { unit: 'skolo-metadata-server.service', gid: 0 },
  'power-cycle-daemon': { unit: 'skolo-power-cycle-daemon.service', gid: 10_001 },
} as const;

/** Of k3s on the jumphost: `token-file` in its configuration. */
export const k3sTokenFile = '/etc/rancher/k3s/token';

/**
 * The secrets of a rack, sorted by name.
 *
 * @throws UnmountedSecretsError A path is outside the directory that pods mount.
 */
export function rackSecrets(rack: Rack): RackSecret[] {
  const found = new Map<string, RackSecret>();
  const add = (name: string, kind: SecretKind, more: Partial<RackSecret>) => {
    const secret = found.get(name) ?? {
      name,
      kind,
      place: secretPlace(rack, name),
      where: [],
      paths: [],
      logins: [],
      users: [],
      keys: [],
      files: [],
      isVariable: more.isVariable ?? false,
    };
    for (const list of ['where', 'paths', 'logins', 'users'] as const) {
      secret[list] = [...new Set([...secret[list], ...(more[list] ?? [])])];
    }
    secret.keys.push(...(more.keys ?? []));
    secret.files.push(...(more.files ?? []));
    found.set(name, secret);
  };
  const references = new Map(secretReferences(rack).map((each) => [each.where, each]));
  const nameOf = new Map<string, string>();
  for (const { service, namespace, files, variables } of serviceSecrets(rack)) {
    const addOwn = (key: string, where: string[], more: Partial<RackSecret>) => {
      const keys = [{ namespace, secret: service, key }];
      const own = { where, logins: loginsAt(where), users: [service], keys };
      add(key, kindOf(references.get(where[0] ?? '')), { ...own, ...more });
    };
    for (const { key, path, where } of files) {
      nameOf.set(path, key);
      addOwn(key, where, { paths: [path], files: filesOf(service, path) });
    }
    for (const { name, where } of variables) {
      addOwn(name, where, { isVariable: true, files: filesOf(service, 'environment', name) });
    }
  }
  for (const { name: secret, tokens } of tokenSecrets(rack)) {
    for (const { key, path, where, madeBy } of tokens) {
      const name = nameOf.get(path) ?? secretKeys([path], new Set(found.keys())).get(path) ?? path;
      add(name, madeBy === undefined ? 'token' : 'api-token', {
        where: [where],
        paths: [path],
        users: [secret],
        keys: [{ namespace: 'skolo', secret, key }],
      });
    }
  }
  for (const [name, kind, more] of implied(rack)) add(name, kind, more);
  return [...found.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** A secret's location in the store. */
export function secretPlace({ name: rack, secrets }: Pick<Rack, 'name' | 'secrets'>, name: string) {
  return secrets.shared[name] ?? `${rack}/${name}`;
}

/** Secrets that rack.yaml requires but does not name. */
function implied(rack: Rack): [string, SecretKind, Partial<RackSecret>][] {
  const all: [string, SecretKind, Partial<RackSecret>][] = [
    [
      'k3s-token',
      'k3s-token',
      {
        where: ['jumphost'],
        users: ['k3s'],
        files: [{ unit: 'k3s.service', path: k3sTokenFile, gid: 0 }],
      },
    ],
    ['rack-key', 'rack-key', { where: ['jumphost'], users: ['skolo jumphost replace'] }],
  ];
  const devices = [...rack.machines.values()].flatMap((machine) => machine.devices);
  if (devices.some(({ kind }) => kind === 'android' || kind === 'auto')) {
    for (const [name, kind] of [
      ['adbkey', 'adb-key'],
      ['adbkey.pub', 'adb-public-key'],
    ] as const) {
      const keys = [{ namespace: 'skolo-node', secret: 'adb-key', key: name }];
      all.push([name, kind, { where: ['machines'], users: ['swarming-client'], keys }]);
    }
  }
  if (Array.isArray(rack.services['router-backup'].encrypt)) {
    const where = ['services.router-backup.encrypt'];
    all.push(['age-identity', 'age-identity', { where, users: ['skolo backup --from'] }]);
  }
  return all;
}

function filesOf(service: JumphostService, path: string, variable?: string): SecretFilePlace[] {
  if (service !== 'metadata-server' && service !== 'power-cycle-daemon') return [];
  const place = { ...units[service], path: `/etc/skolo/${service}/${path}` };
  return [variable === undefined ? place : { ...place, variable }];
}

function loginsAt(where: readonly string[]): string[] {
  return where.flatMap((path) => /^logins\.(.+?)\.(?:snmp\.)?\w+$/.exec(path)?.[1] ?? []);
}

const kinds: Readonly<Record<string, SecretKind>> = {
  serviceAccountKey: 'service-account-key',
  upload: 'backup-key',
  uploadKey: 'service-account-key',
  keyFile: 'key-file',
  fixed: 'fixed-token',
  refreshToken: 'refresh-token',
  externalAccount: 'external-account',
  tokens: 'token-file',
  password: 'password',
  enablePassword: 'password',
  kg: 'password',
  passphrase: 'passphrase',
  privateKey: 'ssh-key',
  community: 'snmp-community',
  authKey: 'snmp-key',
  privKey: 'snmp-key',
  cert: 'certificate',
  key: 'tls-key',
  powerToken: 'api-token',
  servicesToken: 'api-token',
};

function kindOf({ path = [] }: Partial<SecretReference> = {}): SecretKind {
  if (path[0] === 'access' && path[1] === 'agents') return 'agent-key';
  return kinds[String(path.at(-1))] ?? 'token';
}
