/** Compares and changes Secrets in the cluster. Their values are compared in memory, and sent over standard input. */
import { sha256 } from '@skolo/base';
import type { Secret } from '@skolo/base/secrets';
import type { RackSecret } from '@skolo/rack/secrets';
import { z } from 'zod';
import type { KubeObject } from '../push/objects.ts';
import { fieldManager } from '../push/plan.ts';
import { applyObjects, type Rack, readLive } from '../push/rack.ts';
import { type KeyPlace, stateOf } from './places.ts';

type Values = ReadonlyMap<string, Secret>;

const Data = z.record(z.string(), z.string()).catch({});

/** The annotation in which `kubectl apply` without `--server-side` stores a copy of all values. */
const copyOfValues = 'kubectl.kubernetes.io/last-applied-configuration';

interface LiveSecret {
  object: KubeObject;
  /** Values in base64. */
  data: Record<string, string>;
  /** Keys that skolo created. */
  owned: string[];
}

type Live = ReadonlyMap<string, LiveSecret>;

/** @throws KubectlError */
export async function compareCluster(
  rack: Rack,
  secrets: readonly RackSecret[],
  values: Values,
): Promise<KeyPlace[]> {
  return placesOf(secrets, values, await readSecrets(rack, secrets));
}

function placesOf(secrets: readonly RackSecret[], values: Values, live: Live): KeyPlace[] {
  return secrets.flatMap((secret) =>
    secret.keys.map((at): KeyPlace => {
      const there = live.get(`${at.namespace}/${at.secret}`)?.data[at.key];
      const digest = there === undefined ? undefined : sha256(Buffer.from(there, 'base64'));
      return { secret, at, state: stateOf(values.get(secret.name), digest) };
    }),
  );
}

/**
 * Creates and changes Secrets in the cluster that differ from the store. A key without a value in the store keeps its
 * value, as does a key that somebody else created. A key that skolo created is deleted when rack.yaml no longer contains it.
 *
 * @throws KubectlError
 */
export async function applyToCluster(
  rack: Rack,
  secrets: readonly RackSecret[],
  values: Values,
): Promise<KeyPlace[]> {
  const live = await readSecrets(rack, secrets);
  const before = placesOf(secrets, values, live);
  const changes = before.filter(({ state }) => state === 'missing' || state === 'different');
  const names = new Set(changes.map(({ at }) => `${at.namespace}/${at.secret}`));
  for (const [name, { owned }] of live) {
    const own = before.filter(({ at }) => `${at.namespace}/${at.secret}` === name);
    if (owned.some((key) => own.every(({ at }) => at.key !== key))) names.add(name);
  }
  await applyObjects(
    rack,
    [...names].map((name) => wantedSecret(name, before, values, live)),
  );
  for (const name of names) {
    const previous = live.get(name)?.object.metadata;
    // It would contain the previous values unencrypted.
    if (previous?.annotations?.[copyOfValues] === undefined) continue;
    const args = ['annotate', 'secret', previous.name, '-n', previous.namespace ?? ''];
    await rack.kubectl([...args, `${copyOfValues}-`]);
  }
  return changes;
}

function wantedSecret(
  full: string,
  places: readonly KeyPlace[],
  values: Values,
  live: Live,
): KubeObject {
  const own = places.filter(({ at }) => `${at.namespace}/${at.secret}` === full);
  const { data: previous = {}, owned = [] } = live.get(full) ?? {};
  const named = own.flatMap(({ secret, at }) => {
    const value = values.get(secret.name)?.reveal();
    const text = value === undefined ? previous[at.key] : Buffer.from(value).toString('base64');
    return text === undefined ? [] : [[at.key, text] as const];
  });
  const ofOthers = Object.entries(previous).filter(([key]) => !owned.includes(key));
  const [namespace = '', name = ''] = full.split('/');
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name, namespace },
    type: 'Opaque',
    data: Object.fromEntries([...ofOthers, ...named]),
  };
}

const Fields = z.object({ 'f:data': z.record(z.string(), z.unknown()).default({}) });

function ownedKeys({ metadata }: KubeObject): string[] {
  return (metadata.managedFields ?? [])
    .filter(({ manager, operation }) => manager === fieldManager && operation === 'Apply')
    .flatMap(({ fieldsV1 }) => Object.keys(Fields.parse(fieldsV1)['f:data']))
    .flatMap((field) => (field.startsWith('f:') ? [field.slice(2)] : []));
}

async function readSecrets(rack: Rack, secrets: readonly RackSecret[]): Promise<Live> {
  const names = new Set(
    secrets.flatMap(({ keys }) => keys.map(({ namespace, secret }) => `${namespace}/${secret}`)),
  );
  const wanted = [...names].map((full): KubeObject => {
    const [namespace = '', name = ''] = full.split('/');
    return { apiVersion: 'v1', kind: 'Secret', metadata: { name, namespace } };
  });
  return new Map(
    (await readLive(rack, wanted)).map((object) => [
      `${object.metadata.namespace}/${object.metadata.name}`,
      { object, data: Data.parse(object.data), owned: ownedKeys(object) },
    ]),
  );
}
