/** The racks of kube/clusters/config.json. */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { errorCode, parseJson } from '@skolo/base';
import { didYouMean } from '@skolo/rack/light';
import { FleetError } from '../errors.ts';
import { type ClustersFile, clustersSchema } from './clusters-schema.ts';

/** A host through which SSH reaches a k3s server. */
export interface Way {
  host: string;
  user?: string;
  /** Hosts to connect through, as in SSH's ProxyJump. */
  jump?: string;
  /** Address of a host whose name only identifies its host key. */
  address?: string;
  /** Arguments of ssh that use an open connection. */
  through?(signal: AbortSignal): Promise<string[]>;
  /** A command on it that serves SSH on its standard streams, instead of the port of `host`. */
  server?: string;
  signIn?: { hasPassword: boolean; acceptsNewKeys: boolean };
}

interface RackEntry {
  name: string;
  /** Name of the context in its kubeconfig. */
  context: string;
  /** Racks with a lower number are changed first. */
  wave: number;
  canary: boolean;
  notes?: string;
  /** Directory of its overlay and rack.yaml, whether it exists or not. */
  overlay: string;
}

export interface K3sRack extends RackEntry {
  type: 'k3s';
  jumphost: string;
  /** At least one, in the order in which they are tried. */
  ways: readonly Way[];
  /** The jumphost's epoch; absent: it was never replaced. */
  epoch?: number;
  /** Port of the API server, on the loopback interface of each of these hosts. */
  apiPort: number;
  /** Whether it can reach registries. */
  internet: boolean;
}

export interface GkeRack extends RackEntry {
  type: 'gke';
  zone: string;
  project: string;
}

export type FleetRack = K3sRack | GkeRack;

export interface Fleet {
  /** Absolute path of the file. */
  file: string;
  /** In the order of the file. */
  racks: readonly FleetRack[];
}

/** In a clone of the racks repository, or in the directory of a cluster. */
export const usualFile = join('kube', 'clusters', 'config.json');
const howToName = 'specify the clusters file with --clusters FILE or SKOLO_CLUSTERS';

/**
 * `kube/clusters/config.json` in this directory or its nearest parent.
 *
 * @throws FleetError There is none.
 */
export function findClustersFile(folder: string): string {
  for (let at = resolve(folder); ; at = dirname(at)) {
    const file = join(at, usualFile);
    if (existsSync(file)) return file;
    if (at === dirname(at)) break;
  }
  throw new FleetError(
    `no ${usualFile} in ${resolve(folder)} or its parent directories; change to a clone of the racks repository, or ${howToName}`,
    { code: 'NO_CLUSTERS' },
  );
}

/**
 * Reads the file.
 *
 * @throws FleetError It cannot be read.
 * @throws RackError It has errors; the message has a line for each.
 */
export async function readFleet(file: string): Promise<Fleet> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (cause) {
    const code = errorCode(cause) ?? 'unknown';
    const why = code === 'ENOENT' ? 'no such file' : `cannot be read (${code})`;
    throw new FleetError(`${file}: ${why}; ${howToName}`, { code: 'NO_CLUSTERS', cause });
  }
  return parseFleet(text, file);
}

/** @throws RackError The text has errors; the message has a line for each. */
export async function parseFleet(text: string, file: string): Promise<Fleet> {
  const { clusters } =
    clustersSchema.safeParse(parseJson(text)).data ?? (await throwErrors(text, file));
  const folder = resolve(dirname(file), '..', 'racks');
  const racks = Object.entries(clusters).map(([name, cluster]) =>
    rackOf(name, cluster, join(folder, name)),
  );
  return { file: resolve(file), racks };
}

/** The slower parser reports positions. */
async function throwErrors(text: string, file: string): Promise<ClustersFile> {
  const { parseFile } = await import('@skolo/rack');
  return parseFile(clustersSchema, text, file);
}

type Cluster = ClustersFile['clusters'][string];

function rackOf(name: string, cluster: Cluster, overlay: string): FleetRack {
  const { wave, canary, notes } = cluster;
  const entry = {
    name,
    context: cluster.context_name,
    wave,
    canary,
    ...(notes !== undefined && { notes }),
    overlay,
  };
  if (cluster.type === 'gke') {
    const { zone, project } = cluster;
    return { ...entry, type: 'gke', zone, project };
  }
  const { jumphost, user, ways = [{ host: jumphost }], api_port, internet, epoch } = cluster;
  return {
    ...entry,
    type: 'k3s',
    jumphost,
    ways: ways.map((way) => ({ ...(user !== undefined && { user }), ...way })),
    ...(epoch !== undefined && { epoch }),
    apiPort: api_port,
    internet,
  };
}

/** The rack with this name. @throws FleetError */
export function findRack(fleet: Fleet, name: string): FleetRack {
  const found = fleet.racks.find((rack) => rack.name === name);
  if (found) return found;
  const names = fleet.racks.map((rack) => rack.name);
  const guess = didYouMean(name, names, 'run skolo racks to list all racks');
  throw new FleetError(`${name}: no such rack in ${fleet.file}${guess}`, { code: 'UNKNOWN_RACK' });
}
