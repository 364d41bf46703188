/** Applies objects that a cluster must contain, and undoes changes of them. */

import { isDeepStrictEqual } from 'node:util';
import { ComputerError, type Host, type Step } from '@skolo/setup/engine';
import { z } from 'zod';

/** Shell words: kubectl as administrator of a server of k3s. */
export const kubectl = 'k3s kubectl';
/** The API server rejects unknown fields in it, and without a schema, kubectl takes a tenth of the time. */
const apply = 'apply --server-side --force-conflicts --validate=ignore';
/** A shell's exit code: there is no such command. */
const notFound = 127;

/**
 * Namespaces and user accounts, which `skolo attach` and all later steps require. Other people's changes to them are undone.
 *
 * @param manifests of kube/base/namespaces and kube/base/access
 */
export function accountsStep(manifests: () => Promise<string>, program = kubectl): Step {
  const step = manifestsStep({
    name: 'accounts',
    about: 'namespaces and service accounts for users exist, and have the intended permissions',
    manifests,
    kubectl: program,
  });
  return {
    ...step,
    async check(host) {
      const before = await step.check(host);
      if (before.differs.length > 0) return before;
      return { differs: await changedObjects(host, program, await manifests()) };
    },
  };
}

const Named = z.looseObject({
  kind: z.string(),
  metadata: z.looseObject({ name: z.string(), namespace: z.string().exactOptional() }),
});
type Named = z.output<typeof Named>;
const List = z.object({ items: z.array(Named) });

/**
 * A dry run with a manager of its own changes only fields in the manifests: the overlay adds others to the same objects, and a dry run with
 * its manager would remove these.
 */
async function changedObjects(host: Host, kubectl: string, input: string): Promise<string[]> {
  const read = async (command: string) =>
    List.parse(JSON.parse(await host.need(`${kubectl} ${command} -o json -f -`, { input }))).items;
  const keyOf = ({ kind, metadata: { name, namespace } }: Named) =>
    [kind, name, ...(namespace === undefined ? [] : ['in', namespace])].join(' ');
  const live = new Map((await read('get')).map((each) => [keyOf(each), each]));
  const wanted = await read(`${apply} --field-manager=skolo-check --dry-run=server`);
  return wanted.flatMap((each) =>
    isDeepStrictEqual(each, live.get(keyOf(each))) ? [] : [`${keyOf(each)} was changed`],
  );
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
      const input = await manifests();
      await host.need(`${kubectl} ${apply} --field-manager=skolo -f -`, { input });
    },
  };
}
