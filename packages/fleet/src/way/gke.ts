/** A GKE cluster: gcloud writes a separate kubeconfig for it, without global changes. */
import { join } from 'node:path';
import { FleetError } from '../errors.ts';
import { runToEnd } from '../program.ts';
import type { GkeRack } from '../racks/clusters.ts';
import type { Guardian } from './local/guardian.ts';
import type { OpenOptions } from './way.ts';

/** @throws FleetError @throws The signal's reason. */
export async function prepareGke(
  { name, zone, project }: GkeRack,
  { folder, start }: Guardian,
  options: Pick<OpenOptions, 'env' | 'signal'>,
): Promise<{ kubeconfig: string; env: NodeJS.ProcessEnv }> {
  const kubeconfig = join(folder, 'kubeconfig');
  const env = {
    ...options.env,
    KUBECONFIG: kubeconfig,
    // For gcloud in the shell, instead of `gcloud config set`.
    CLOUDSDK_CORE_PROJECT: project,
    CLOUDSDK_COMPUTE_ZONE: zone,
  };
  const args = ['container', 'clusters', 'get-credentials', name];
  const place = ['--zone', zone, '--project', project, '--quiet'];
  const gcloud = () => start('gcloud', [...args, ...place], { env });
  const { code, stderr } = await runToEnd(gcloud, options);
  if (code === 0) return { kubeconfig, env };
  if (code === 127) {
    throw new FleetError('gcloud: not installed; install the Google Cloud CLI');
  }
  const last = stderr.trim().split('\n').at(-1) ?? '';
  throw new FleetError(
    `${name}: gcloud did not return credentials (${last}); run gcloud auth login`,
  );
}
