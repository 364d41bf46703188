/**
 * Settings with their defaults, from /etc/default/skolo-fallback: how long a service may be silent before the unit starts, how long k3s
 * must be well before it serves again.
 */
import { z } from 'zod';

const seconds = (usual: number) => z.coerce.number().min(0).max(86_400).default(usual);

const Settings = z.object({
  /** SKOLO_FALLBACK_BOOT_SECONDS: k3s has this long after a boot, before a unit stands in. */
  bootSeconds: seconds(300),
  /** SKOLO_FALLBACK_SILENT_SECONDS: a unit stands in for a service that has not responded for so long. */
  silentSeconds: seconds(180),
  /** SKOLO_FALLBACK_READY_SECONDS: k3s must be well for so long before a unit gives way. A dead node counts as ready for 50 s. */
  readySeconds: seconds(90),
  /** SKOLO_FALLBACK_FAILBACK_SECONDS: a pod must answer so soon after a unit gave way, or the unit comes back. */
  failbackSeconds: seconds(180),
  /** SKOLO_FALLBACK_RETRY_SECONDS: until it gives way again after that. It doubles, up to six hours. */
  retrySeconds: seconds(600),
  /** SKOLO_FALLBACK_PUSH_SECONDS: a push whose Lease was not renewed for so long is rolled back. */
  pushSeconds: seconds(600),
  /** SKOLO_FALLBACK_SYNC_SECONDS: between two copies of the configuration. */
  syncSeconds: seconds(600),
  /** SKOLO_FALLBACK_KUBECONFIG. */
  kubeconfig: z.string().default('/etc/rancher/k3s/k3s.yaml'),
});
export type Settings = z.output<typeof Settings>;

/** Throws an error for people when a variable is invalid. An empty variable counts as not set. */
export function readSettings(env: Record<string, string | undefined>): Settings {
  const given = Object.keys(Settings.shape).map((key) => [key, env[variableOf(key)] || undefined]);
  const { data, error } = Settings.safeParse(Object.fromEntries(given));
  if (data !== undefined) return data;
  const [issue] = error.issues;
  const variable = variableOf(String(issue?.path[0]));
  throw new Error(`${variable}: ${issue?.message}; see /etc/default/skolo-fallback`);
}

/** `bootSeconds` is SKOLO_FALLBACK_BOOT_SECONDS. */
function variableOf(key: string): string {
  return `SKOLO_FALLBACK_${key.replace(/[A-Z]/g, '_$&').toUpperCase()}`;
}
