/** Finds which racks can be reached, and what they run. */
import { closing, parseJson } from '@skolo/base';
import { z } from 'zod';
import { FleetError } from '../errors.ts';
import type { FleetRack } from '../racks/clusters.ts';
import { askEachRack, type OnNextWay, type RackAnswer } from '../racks/each-rack.ts';
import { kubectlOnServer } from '../way/on-server.ts';
import { openJumphost } from '../way/open-jumphost.ts';

/** The version of the API server; undefined of a cluster of gke, which is not asked: gcloud is slow, and asks for a sign-in. */
export type RackReport = RackAnswer<string | undefined>;

/** In the order of the racks. @throws The signal's reason. */
export function surveyRacks(
  racks: readonly FleetRack[],
  { env, signal }: { env: NodeJS.ProcessEnv; signal: AbortSignal },
): Promise<RackReport[]> {
  const ask = async (rack: FleetRack, signal: AbortSignal, onNextWay: OnNextWay) =>
    rack.type === 'gke' ? undefined : await versionOf(rack, { env, signal, onNextWay });
  return askEachRack(racks, ask, { signal });
}

const Version = z.object({ serverVersion: z.object({ gitVersion: z.string() }) });

async function versionOf(
  rack: FleetRack,
  options: { env: NodeJS.ProcessEnv; signal: AbortSignal; onNextWay: OnNextWay },
): Promise<string> {
  const { signal } = options;
  await using jumphost = closing(await openJumphost(rack, { ...options, mayAsk: false }));
  const command = kubectlOnServer('version -o json');
  const { code, stdout, stderr } = await jumphost.onJumphost(command, signal);
  const found = Version.safeParse(parseJson(stdout)).data?.serverVersion.gitVersion;
  if (code === 0 && found !== undefined) return found;
  const last = stderr.split('\n').at(-1);
  throw new FleetError(
    `${rack.name}: cannot read the API server's version (${last}); run \`systemctl status k3s\` on the jumphost`,
  );
}
