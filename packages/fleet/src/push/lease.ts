/**
 * Decides who may push, also rack.yaml alone: a Lease ensures that only one workstation at a time changes a rack, and when it expires. Its
 * holder renews it. Another workstation acquires it when it has expired, which is determined by reading it twice, because workstations'
 * clocks differ.
 */
import { inOrder, parseJson, pause } from '@skolo/base';
import {
  pushObject,
  type RolledBack,
  rolledBackAnnotation,
  rolledBackIn,
} from '@skolo/rack/jumphost';
import { z } from 'zod';
import { FleetError } from '../errors.ts';
import { isRejected, type Kubectl } from '../way/kubectl.ts';
import { Pin } from './versions.ts';

const { name, namespace } = pushObject;

const Lease = z.object({
  metadata: z.object({
    resourceVersion: z.string(),
    annotations: z.record(z.string(), z.string()).default({}),
  }),
  spec: z
    .object({
      holderIdentity: z.string().default(''),
      leaseDurationSeconds: z.number().default(0),
      renewTime: z.string().optional(),
    })
    .prefault({}),
});
type Lease = z.infer<typeof Lease>;

export interface LeaseTimes {
  /** After this long without renewal, it may be acquired. */
  durationMs: number;
  renewMs: number;
}

/** A workstation may lose its connection for five minutes (`patienceMs`); skolo-fallback acts after ten. */
const usual: LeaseTimes = { durationMs: 300_000, renewMs: 15_000 };

interface LeaseOptions {
  rack: string;
  signal: AbortSignal;
  /** Whether an earlier holder is known to have ended, such as a killed process of this workstation. */
  mayTake?: (holder: string) => boolean;
  times?: LeaseTimes;
  now?: () => number;
}

/** The rack's record of its last successful push. */
export const Last = z.object({
  id: z.string(),
  by: z.string(),
  at: z.string(),
  commit: z.string(),
  why: z.string().default(''),
  /** The previous versions. */
  previous: z.array(Pin).default([]),
});
export type Last = z.infer<typeof Last>;

export interface HeldLease {
  /** Aborted when the lease is lost. */
  signal: AbortSignal;
  /** The previous push. */
  last: Last | undefined;
  /** The push that skolo-fallback has rolled back. */
  rolledBack: RolledBack | undefined;
  /** Renews it before a change. @throws FleetError It was lost. */
  confirm(): Promise<void>;
  /** Releases it. `last` of this push stays in it. */
  release(last?: Last): Promise<void>;
}

export async function readLease(
  kubectl: Kubectl,
  signal?: AbortSignal,
): Promise<Pick<HeldLease, 'last' | 'rolledBack'> & { holder: string | undefined }> {
  const lease = await get(kubectl, signal);
  const holder = lease?.spec.holderIdentity || undefined;
  return { holder, last: lastOf(lease), rolledBack: rolledBackOf(lease) };
}

/**
 * Acquires a rack's lease and renews it until it is released.
 *
 * @param holder for people: `ann@desk, push 2026-11-21T18-10-19Z, process 4711`
 * @throws FleetError Another holder has it.
 */
export async function holdLease(
  kubectl: Kubectl,
  holder: string,
  { rack, signal, mayTake = () => false, times = usual, now = Date.now }: LeaseOptions,
): Promise<HeldLease> {
  const found = await get(kubectl, signal);
  const other = found?.spec.holderIdentity || undefined;
  const isFree = other === undefined || other === holder || mayTake(other);
  if (found && !isFree) {
    await mustBeExpired(kubectl, found, { rack, signal, times, now });
  }
  let version = await put(kubectl, found, { holder, times, now }).catch((cause: unknown) => {
    if (!isRejected(cause, 'Conflict') && !isRejected(cause, 'AlreadyExists')) throw cause;
    const message = `${rack}: another process acquired the lease at the same moment; try again`;
    throw new FleetError(message, { cause });
  });
  const lost = new AbortController();
  const stop = new AbortController();
  /** Each changes the version that the next one must state. */
  const turns = inOrder();
  const confirm = () => turns(renewOnce);
  const renewal = renew();
  const last = lastOf(found);

  /** An unreachable cluster does not end it: nobody can change the rack meanwhile. */
  async function renew() {
    while (!stop.signal.aborted && !lost.signal.aborted) {
      await pause(times.renewMs, stop.signal)
        .then(confirm)
        .catch(() => undefined);
    }
  }

  async function renewOnce() {
    lost.signal.throwIfAborted();
    try {
      version = await putOwn({ holder });
    } catch (error) {
      if (!isRejected(error, 'Conflict') && !isRejected(error, 'NotFound')) throw error;
      const why = 'another process acquired or deleted it';
      lost.abort(new FleetError(`${rack}: lost the lease ${name}: ${why}`));
      throw lost.signal.reason;
    }
  }

  return {
    signal: lost.signal,
    last,
    rolledBack: rolledBackOf(found),
    confirm,
    async release(ended) {
      if (stop.signal.aborted) return;
      stop.abort();
      await renewal;
      if (lost.signal.aborted) return;
      await putOwn({ holder: '', last: ended });
    },
  };

  /** A cluster whose database was rolled back contains an earlier version of our lease. */
  async function putOwn(change: Change): Promise<Lease> {
    const given = { times, now, ...change };
    try {
      return await put(kubectl, version, given);
    } catch (error) {
      if (!isRejected(error, 'Conflict')) throw error;
      const found = await get(kubectl, undefined);
      if (found?.spec.holderIdentity !== holder) throw error;
      return await put(kubectl, found, given);
    }
  }
}

/** Reads it twice; a lease that is renewed in between is held. @throws FleetError */
async function mustBeExpired(
  kubectl: Kubectl,
  found: Lease,
  { rack, signal, times, now }: Required<Omit<LeaseOptions, 'mayTake'>>,
): Promise<void> {
  const { holderIdentity, leaseDurationSeconds, renewTime } = found.spec;
  const renewed = renewTime === undefined ? 0 : Date.parse(renewTime);
  const looksHeld = Math.abs(now() - renewed) < leaseDurationSeconds * 1000;
  if (!looksHeld) {
    await pause(times.renewMs * 2, signal);
    const again = await get(kubectl, signal);
    if (again?.metadata.resourceVersion === found.metadata.resourceVersion) return;
  }
  throw new FleetError(
    `${rack}: ${holderIdentity} is changing this rack; wait until the change is complete, or stop the command on that workstation`,
  );
}

async function get(kubectl: Kubectl, signal: AbortSignal | undefined): Promise<Lease | undefined> {
  const text = await kubectl(
    ['get', 'lease', name, '-n', namespace, '--ignore-not-found', '-o', 'json'],
    { signal },
  );
  return text.trim() === '' ? undefined : Lease.parse(JSON.parse(text));
}

interface Change {
  holder: string;
  last?: Last | undefined;
}

/** @throws KubectlError `Conflict`, `AlreadyExists`: another workstation was faster. */
async function put(
  kubectl: Kubectl,
  before: Lease | undefined,
  { holder, times, now, last }: Change & Required<Pick<LeaseOptions, 'times' | 'now'>>,
): Promise<Lease> {
  const lease = {
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata: {
      name,
      namespace,
      // With it, the API server rejects changes to a version that we have not read.
      ...(before && { resourceVersion: before.metadata.resourceVersion }),
      annotations: {
        ...before?.metadata.annotations,
        ...(last && { [lastPush]: JSON.stringify(last), [rolledBackAnnotation]: '' }),
      },
    },
    spec: {
      holderIdentity: holder,
      leaseDurationSeconds: Math.ceil(times.durationMs / 1000),
      renewTime: new Date(now()).toISOString().replace('Z', '000Z'),
    },
  };
  const verb = before ? 'replace' : 'create';
  // A schema would be two more requests before each change.
  const text = await kubectl([verb, '--validate=false', '-f', '-', '-o', 'json'], {
    input: JSON.stringify(lease),
    deadlineMs: 15_000,
  });
  return Lease.parse(JSON.parse(text));
}

const lastPush = 'skolo/last-push';

function rolledBackOf(lease: Lease | undefined): RolledBack | undefined {
  return lease && rolledBackIn(lease.metadata.annotations);
}

function lastOf(lease: Lease | undefined): Last | undefined {
  return Last.safeParse(parseJson(lease?.metadata.annotations[lastPush] ?? '')).data;
}
