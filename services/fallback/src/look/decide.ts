/**
 * Decides when a systemd unit replaces k3s (fallback), and when it gives way to k3s again, from one look and the memory of earlier ones.
 * It touches nothing.
 */
import { z } from 'zod';
import type { Kubernetes } from '../kubernetes/kubernetes.ts';
import { lostBetween } from '../lost-time.ts';
import type { Settings } from '../settings.ts';

export interface Seen {
  /** Seconds since boot. */
  uptime: number;
  isUnitRunning: boolean;
  /** The service answers the rack, from the unit or from a pod. */
  isAnswering: boolean;
  /** Why the unit could not be started; undefined when it could. */
  notInstalled: string | undefined;
  kubernetes: Kubernetes;
}

/** What one look leaves for the next, in this boot. Times are seconds since boot. */
export const Memory = z.object({
  /** The unit was started here, and not by an operator. */
  isActive: z.boolean().default(false),
  silentSince: z.number().nullable().default(null),
  /** k3s is well since then. */
  readySince: z.number().nullable().default(null),
  gaveWayAt: z.number().nullable().default(null),
  hasAnsweredSince: z.boolean().default(false),
  /** How often in a row a pod did not serve after the unit gave way. */
  setbacks: z.number().default(0),
  /** The unit does not give way again before. */
  notBefore: z.number().default(0),
  lookedAt: z.number().nullable().default(null),
});
export type Memory = z.output<typeof Memory>;

export interface Decision {
  act: 'nothing' | 'fallback' | 'give-way';
  /** The text stays the same as long as nothing changes. */
  why: string;
  memory: Memory;
}

export const noMemory = Memory.parse({});

/** A pod that has answered for so long has settled: its setbacks are forgotten. */
const settledSeconds = 600;
const longestRetrySeconds = 6 * 3600;

/** What to do now, for a service that no operator has failed over. */
export function decide(seen: Seen, before: Memory, settings: Settings): Decision {
  const { uptime } = seen;
  const decision = decideNow(seen, withoutGap(before, uptime), settings);
  return { ...decision, memory: { ...decision.memory, lookedAt: uptime } };
}

function withoutGap(before: Memory, uptime: number): Memory {
  const lost = lostBetween(before.lookedAt ?? uptime, uptime);
  const moved = (time: number | null) => (time === null ? null : time + lost);
  return {
    ...before,
    silentSince: moved(before.silentSince),
    readySince: moved(before.readySince),
    gaveWayAt: moved(before.gaveWayAt),
    notBefore: before.notBefore + lost,
  };
}

function decideNow(seen: Seen, before: Memory, settings: Settings): Decision {
  if (!seen.isUnitRunning) return whileStopped(seen, before, settings);
  if (!before.isActive) return nothing('the unit was started manually', before);
  return whileActive(seen, before, settings);
}

function whileActive(seen: Seen, before: Memory, settings: Settings): Decision {
  const { uptime, kubernetes } = seen;
  const trouble = whyNotYet(kubernetes);
  if (trouble !== undefined) {
    return nothing(`the unit is running as the fallback: ${trouble}`, {
      ...before,
      readySince: null,
    });
  }
  const memory = { ...before, readySince: before.readySince ?? uptime };
  if (uptime - memory.readySince < settings.readySeconds) {
    return nothing(
      `the unit is running as the fallback until k3s has been healthy for ${settings.readySeconds} s`,
      memory,
    );
  }
  if (uptime < memory.notBefore) {
    return nothing(
      'the unit is running as the fallback, because the service did not respond after the last attempt to return to k3s',
      memory,
    );
  }
  return {
    act: 'give-way',
    why: 'k3s can run the pod again',
    memory: { ...noMemory, setbacks: memory.setbacks, gaveWayAt: uptime },
  };
}

function whyNotYet(kubernetes: Kubernetes): string | undefined {
  if (kubernetes.state !== 'answers') return kubernetes.why;
  if (!kubernetes.node.isReady) return kubernetes.node.why;
  if (kubernetes.deployment === 'missing') return 'k3s has no Deployment for this service';
  if (kubernetes.deployment === 'scaled-to-0') return 'the Deployment is scaled to 0';
  return kubernetes.pod.state === 'cannot-run' ? kubernetes.pod.why : undefined;
}

function whileStopped(seen: Seen, before: Memory, settings: Settings): Decision {
  const { uptime, kubernetes } = seen;
  const memory: Memory = { ...before, isActive: false, readySince: null };
  if (seen.isAnswering) {
    const hasSettled = memory.gaveWayAt !== null && uptime - memory.gaveWayAt >= settledSeconds;
    return nothing('k3s is running the service', {
      ...memory,
      silentSince: null,
      hasAnsweredSince: true,
      ...(hasSettled && { gaveWayAt: null, setbacks: 0 }),
    });
  }

  memory.silentSince ??= uptime;
  if (kubernetes.state === 'answers') {
    if (kubernetes.deployment === 'scaled-to-0') {
      return nothing('not responding: the Deployment is scaled to 0', memory);
    }
    if (kubernetes.node.isReady && kubernetes.pod.state === 'ready') {
      return nothing(
        'the pod is ready, but the service is not responding on this computer',
        memory,
      );
    }
  }
  const isHandover = memory.gaveWayAt !== null && !memory.hasAnsweredSince;
  const patientUntil = isHandover
    ? (memory.gaveWayAt ?? 0) + settings.failbackSeconds
    : Math.max(memory.silentSince + settings.silentSeconds, settings.bootSeconds);
  if (uptime < patientUntil) {
    return nothing(isHandover ? 'waiting for the pod' : 'not responding', memory);
  }
  if (seen.notInstalled !== undefined) {
    return nothing(`not responding, and the unit cannot take over: ${seen.notInstalled}`, memory);
  }
  const isSetback = memory.gaveWayAt !== null;
  const setbacks = isSetback ? memory.setbacks + 1 : memory.setbacks;
  const retryAfter = settings.retrySeconds * 2 ** Math.max(0, setbacks - 1);
  return {
    act: 'fallback',
    why: whyNotYet(kubernetes) ?? 'the pod has not become ready',
    memory: {
      ...noMemory,
      isActive: true,
      setbacks,
      notBefore: isSetback ? uptime + Math.min(retryAfter, longestRetrySeconds) : 0,
    },
  };
}

function nothing(why: string, memory: Memory): Decision {
  return { act: 'nothing', why, memory };
}
