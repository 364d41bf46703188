/** `skolo secrets status`: shows all secrets of a rack. */
import { count, errorText } from '@skolo/base';
import type { Secret } from '@skolo/base/secrets';
import { expiryOf } from '@skolo/fleet/secret-store/expiry';
import type { Place, PlaceState } from '@skolo/fleet/secrets';
import type { RackSecret } from '@skolo/rack/secrets';
import type { SkoloCommand } from '../../command.ts';
import { complain, exitCodes } from '../../errors.ts';
import { printJson } from '../../io.ts';
import { type Column, printTable } from '../../output/table.ts';
import { duration } from '../../output/time.ts';
import { type OpenSecrets, openSecrets } from './open-secrets.ts';
import { compareWithRack } from './rack-places.ts';

interface Row {
  secret: RackSecret;
  stored: 'yes' | 'missing' | 'unreadable';
  changedAt?: number;
  expires?: Date;
  /** Undefined: unknown. */
  cluster?: PlaceState | undefined;
  jumphost?: PlaceState | undefined;
}

/** `skolo secrets status` */
export function define(command: SkoloCommand): void {
  command
    .description(
      "Lists the secrets that a rack's rack.yaml refers to, with their age, their expiry, and what uses them. For each secret, the list also shows whether the store contains it, and whether the cluster and the jumphost's systemd units have the same value. Values are never printed. The exit code is 3 if a value is missing, unreadable or different, or if the rack is unreachable.",
    )
    .summary('show where secrets are stored and used')
    .argument('<rack>', 'name of the rack')
    .option('--offline', 'read only the store')
    .option('--json', 'print JSON')
    .uses('clusters')
    .example('skolo secrets status rack4');

  command.interruptible(
    async (signal, rackName: string, { offline, json }: { offline?: true; json?: true }) => {
      const { io } = command;
      const open = await openSecrets(command, rackName);
      const { rows, values, isComplete } = await readStore(command, open, signal);
      const places = offline ? [] : await compareWithRack(command, open, values, signal);
      // An unreadable value cannot be compared.
      const all = rows.map((row) =>
        row.stored === 'unreadable' ? row : { ...row, ...statesOf(row.secret, places) },
      );
      if (json)
        printJson(io, { rack: rackName, store: open.store.title, secrets: all.map(asJson) });
      else {
        printTable(io, columns(io.now(), offline === true), all);
        summary(command, all, open.store.title, offline === true);
      }
      const isWell =
        isComplete && places !== undefined && all.every(({ stored }) => stored === 'yes');
      const isSame = all.every((row) => [row.cluster, row.jumphost].every(isFine));
      if (!isWell || !isSame) io.exitCode = exitCodes.partlyFailed;
    },
  );
}

async function readStore(
  command: SkoloCommand,
  { secrets, store }: OpenSecrets,
  signal: AbortSignal,
): Promise<{ rows: Row[]; values: Map<string, Secret>; isComplete: boolean }> {
  const values = new Map<string, Secret>();
  const complaints = new Set<string>();
  const rows: Row[] = [];
  for (const secret of secrets) {
    try {
      const facts = await store.find(secret.place);
      const value = facts && (await store.read(secret.place, signal));
      const expires = value && expiryOf(secret.kind, value);
      if (value !== undefined) values.set(secret.name, value);
      rows.push({
        secret,
        stored: value === undefined ? 'missing' : 'yes',
        ...(facts?.changedAt !== undefined && { changedAt: facts.changedAt }),
        ...(expires !== undefined && { expires }),
      });
    } catch (error) {
      signal.throwIfAborted();
      complaints.add(errorText(error));
      rows.push({ secret, stored: 'unreadable' });
    }
  }
  for (const complaint of complaints) complain(command.io, complaint);
  return { rows, values, isComplete: complaints.size === 0 };
}

/** The worst state of all places. */
function statesOf(secret: RackSecret, places: readonly Place[] | undefined) {
  const own = places?.filter((place) => place.secret.name === secret.name);
  const worst = (isKey: boolean) => {
    const states = own?.filter(({ at }) => 'key' in at === isKey).map(({ state }) => state) ?? [];
    return order.find((state) => states.includes(state));
  };
  return { cluster: worst(true), jumphost: worst(false) };
}

const order: readonly PlaceState[] = [
  'different',
  'missing',
  'only-there',
  'same',
  'not-installed',
  'unset',
];

function isFine(state: PlaceState | undefined): boolean {
  return state === undefined || state === 'same' || state === 'not-installed';
}

function columns(now: number, isOffline: boolean): Column<Row>[] {
  const delivered: Column<Row>[] = [
    { title: 'CLUSTER', cell: ({ cluster }) => cluster, style: ({ cluster }) => styleOf(cluster) },
    {
      title: 'JUMPHOST',
      cell: ({ jumphost }) => jumphost,
      style: ({ jumphost }) => styleOf(jumphost),
    },
  ];
  return [
    { title: 'NAME', cell: ({ secret }) => secret.name, shrinkTo: 12 },
    { title: 'KIND', cell: ({ secret }) => secret.kind, leaveOut: 1 },
    {
      title: 'STORED',
      cell: ({ stored, changedAt }) => {
        if (stored !== 'yes') return stored;
        return changedAt === undefined ? 'yes' : `${duration((now - changedAt) / 1000)} ago`;
      },
      style: ({ stored }) => (stored === 'yes' ? undefined : 'red'),
    },
    {
      title: 'EXPIRES',
      cell: ({ expires }) => {
        if (expires === undefined) return undefined;
        const seconds = (expires.getTime() - now) / 1000;
        return seconds <= 0 ? 'expired' : `in ${duration(seconds)}`;
      },
      style: ({ expires }) =>
        expires !== undefined && expires.getTime() - now < 14 * 86_400_000 ? 'red' : undefined,
    },
    ...(isOffline ? [] : delivered),
    {
      title: 'USED BY',
      cell: ({ secret }) => [...secret.users, ...secret.logins.map((login) => `login ${login}`)],
      shrinkTo: 16,
    },
  ];
}

function styleOf(state: PlaceState | undefined): 'red' | 'yellow' | undefined {
  if (state === 'different' || state === 'missing') return 'red';
  return state === 'only-there' ? 'yellow' : undefined;
}

function summary(
  { io }: SkoloCommand,
  rows: readonly Row[],
  store: string,
  isOffline: boolean,
): void {
  const missing = rows.filter(({ stored }) => stored === 'missing').length;
  const unreadable = rows.filter(({ stored }) => stored === 'unreadable').length;
  const behind = rows.filter((row) =>
    [row.cluster, row.jumphost].some((state) => state === 'different' || state === 'missing'),
  ).length;
  io.out('');
  const states = [
    `${missing} missing`,
    ...(unreadable > 0 ? [`${unreadable} unreadable`] : []),
    ...(isOffline || unreadable === rows.length ? [] : [`${behind} not delivered`]),
  ];
  io.out(`${count(rows.length, 'secret')} in ${store}: ${states.join(', ')}`);
}

function asJson({ secret, stored, changedAt, expires, cluster, jumphost }: Row) {
  return {
    name: secret.name,
    kind: secret.kind,
    place: secret.place,
    stored,
    changed: changedAt === undefined ? undefined : new Date(changedAt).toISOString(),
    expires: expires && new Date(expires).toISOString(),
    cluster,
    jumphost,
    users: secret.users,
    logins: secret.logins,
    where: secret.where,
  };
}
