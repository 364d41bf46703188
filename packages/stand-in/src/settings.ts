/** Patience and places, from the environment: /etc/default/skolo-stand-in. */
import { z } from 'zod';

const seconds = (usual: number) => z.coerce.number().min(0).max(86_400).default(usual);

const Settings = z.object({
  /** Nothing stands in before: k3s needs its time after a boot. */
  SKOLO_STAND_IN_BOOT_SECONDS: seconds(300),
  /** A service that has been silent for so long is stood in for. */
  SKOLO_STAND_IN_SILENT_SECONDS: seconds(180),
  /** k3s has to be well for so long before a unit gives way. Longer than a dead node counts as ready, which is 50 s. */
  SKOLO_STAND_IN_READY_SECONDS: seconds(90),
  /** A pod that was given way to answers within this time, or the unit comes back. */
  SKOLO_STAND_IN_HANDOVER_SECONDS: seconds(180),
  /** After that it is not tried again for so long, then twice as long, up to six hours. */
  SKOLO_STAND_IN_RETRY_SECONDS: seconds(600),
  /** Between two copies of the configuration. */
  SKOLO_STAND_IN_SYNC_SECONDS: seconds(600),
  SKOLO_STAND_IN_KUBECONFIG: z.string().default('/etc/rancher/k3s/k3s.yaml'),
});

export interface Settings {
  bootSeconds: number;
  silentSeconds: number;
  readySeconds: number;
  handoverSeconds: number;
  retrySeconds: number;
  syncSeconds: number;
  kubeconfig: string;
}

/** Throws a text for people when a variable is not what it should be. An empty one counts as not set. */
export function readSettings(env: Record<string, string | undefined>): Settings {
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ''));
  const parsed = Settings.safeParse(given);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new Error(`${issue?.path.join('.')}: ${issue?.message}; see /etc/default/skolo-stand-in`);
  }
  const { data } = parsed;
  return {
    bootSeconds: data.SKOLO_STAND_IN_BOOT_SECONDS,
    silentSeconds: data.SKOLO_STAND_IN_SILENT_SECONDS,
    readySeconds: data.SKOLO_STAND_IN_READY_SECONDS,
    handoverSeconds: data.SKOLO_STAND_IN_HANDOVER_SECONDS,
    retrySeconds: data.SKOLO_STAND_IN_RETRY_SECONDS,
    syncSeconds: data.SKOLO_STAND_IN_SYNC_SECONDS,
    kubeconfig: data.SKOLO_STAND_IN_KUBECONFIG,
  };
}
