/** Objects that a cluster must contain. */

import { ComputerError, type Step } from '@skolo/computers';

const kubectl = 'k3s kubectl';
/** Of a shell: there is no such command. */
const notFound = 127;

/**
 * Namespaces and user accounts, which `skolo attach` and all later steps require.
 *
 * @param manifests of kube/base/namespaces and kube/base/access
 */
export function accountsStep(manifests: () => Promise<string>, program = kubectl): Step {
  return manifestsStep({
    name: 'accounts',
    about: 'namespaces and service accounts for users exist',
    manifests,
    kubectl: program,
  });
}

interface ManifestsStep extends Pick<Step, 'name' | 'about'> {
  manifests(): Promise<string>;
  /** Shell words: kubectl as administrator. */
  kubectl: string;
}

/** Required objects. Existing ones stay unchanged. */
export function manifestsStep({ name, about, manifests, kubectl }: ManifestsStep): Step {
  return {
    name,
    about,
    async check(host) {
      const { code, stderr } = await host.run(`${kubectl} get -f - -o name`, {
        input: await manifests(),
      });
      const missing = [...stderr.matchAll(/^Error from server \(NotFound\): (.+)$/gm)];
      if (code === 0) return { differs: [] };
      if (code === notFound) throw new ComputerError(stderr);
      return {
        differs:
          missing.length > 0
            ? missing.map(([, what = '']) => what)
            : [stderr.split('\n').at(-1) || 'the API server is not responding'],
      };
    },
    async apply(host) {
      await host.need(`${kubectl} apply --server-side --field-manager=skolo -f -`, {
        input: await manifests(),
      });
    },
  };
}
