/** How all racks are, each by its own Prometheus. */
import { asError } from '@skolo/errors';
import type { FleetRack } from './clusters.ts';
import { FleetError } from './errors.ts';
import type { Kubectl } from './push/kubectl.ts';
import { healthPath, type RackHealth, readHealth } from './rack-health.ts';

export interface RackStatus {
  rack: FleetRack;
  health?: RackHealth;
  /** Why it is not known. */
  error?: Error;
}

/** A rack that can be asked until `close`. */
export interface AskableRack {
  kubectl: Kubectl;
  close(): Promise<void>;
}

interface StatusDeps {
  /** @throws An error that says what to do. */
  open(rack: FleetRack, signal: AbortSignal): Promise<AskableRack>;
  signal: AbortSignal;
  /** For one rack; default 15 s. */
  limitMs?: number;
}

/** Each has two processes of some 10 MB. */
const atOnce = 50;

/**
 * In the order of the racks. A rack that does not answer delays no other, up to `atOnce` of them.
 *
 * @throws The signal's reason.
 */
export async function statusOfRacks(
  racks: readonly FleetRack[],
  deps: StatusDeps,
): Promise<RackStatus[]> {
  const found: RackStatus[] = [];
  const waiting = racks.entries();
  async function next() {
    for (const [at, rack] of waiting) found[at] = await statusOf(rack, deps);
  }
  await Promise.all(Array.from({ length: atOnce }, next));
  deps.signal.throwIfAborted();
  return found;
}

async function statusOf(
  rack: FleetRack,
  { open, signal, limitMs = 15_000 }: StatusDeps,
): Promise<RackStatus> {
  const late = new FleetError('UNREACHABLE', `${rack.name}: no answer in ${limitMs / 1000} s`);
  const limit = new AbortController();
  const timer = setTimeout(() => limit.abort(late), limitMs);
  const both = AbortSignal.any([signal, limit.signal]);
  try {
    const opened = await open(rack, both);
    try {
      const jumphost = rack.type === 'k3s' ? rack.jumphost : '';
      return { rack, health: await askHealth(opened.kubectl, jumphost, both) };
    } finally {
      await opened.close();
    }
  } catch (error) {
    return { rack, error: limit.signal.aborted ? late : asError(error) };
  } finally {
    clearTimeout(timer);
  }
}

/**
 * How a rack is, as its Prometheus says.
 *
 * @param jumphost its name in rack.yaml; empty: nothing is said of its disk
 * @throws KubectlError Prometheus cannot be asked.
 */
export async function askHealth(
  kubectl: Kubectl,
  jumphost: string,
  signal: AbortSignal,
): Promise<RackHealth> {
  const prometheus = '/api/v1/namespaces/skolo/services/prometheus:9090/proxy';
  const args = ['get', '--raw', `${prometheus}${healthPath(jumphost)}`];
  return readHealth(await kubectl(args, { signal, deadlineMs: 15_000 }));
}
