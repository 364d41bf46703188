/** Creates skolo's pods as their controllers would, in a dry run, so that the API server asks everything that can reject or change them. */
import { isDeepStrictEqual } from 'node:util';
import { fewOf, type Host } from '@skolo/setup/engine';
import { kubectl } from '@skolo/setup/k3s';
import { z } from 'zod';
import { type ClusterObject, isForeign, isOurs, titleOf } from './objects.ts';

const Fields = z.record(z.string(), z.unknown());
const Workload = z.object({
  spec: z.object({ template: z.object({ metadata: Fields, spec: Fields }) }),
});
const Created = z.looseObject({
  metadata: z.looseObject({ generateName: z.string(), namespace: z.string() }),
});
type Created = z.output<typeof Created>;

const creators: Readonly<Record<string, string>> = {
  Deployment: 'replicaset-controller',
  DaemonSet: 'daemon-set-controller',
  StatefulSet: 'statefulset-controller',
};
/** A webhook may take 30 s for each. */
const withinSeconds = 90;

/** A text for each reason why pods, or other objects that a rack requires, are rejected or changed. */
export async function podsInEffect(
  host: Pick<Host, 'run'>,
  objects: readonly ClusterObject[],
): Promise<string[]> {
  const pods = Object.entries(creators).map(([kind, creator]) => {
    const account = ` --as=system:serviceaccount:kube-system:${creator}`;
    const own = objects.filter((each) => each.kind === kind && isOurs(each));
    return tryOut(host, account, own.map(podOf), objects);
  });
  const others = ['skolo', 'skolo-node'].filter(
    (place) => !objects.some((each) => each.metadata.namespace === place && each.kind in creators),
  );
  return (
    await Promise.all([...pods, tryOut(host, '', [...others.map(plainPod), lease], objects)])
  ).flat();
}

function podOf(workload: ClusterObject): Created {
  const { metadata, spec } = Workload.parse(workload).spec.template;
  const { name, namespace } = workload.metadata;
  const own = { ...metadata, generateName: `${name}-`, namespace };
  return { apiVersion: 'v1', kind: 'Pod', metadata: own, spec };
}

/** For a rack whose services are not deployed yet. */
function plainPod(namespace: string): Created {
  const securityContext = {
    runAsNonRoot: true,
    allowPrivilegeEscalation: false,
    capabilities: { drop: ['ALL'] },
    seccompProfile: { type: 'RuntimeDefault' },
  };
  const metadata = { generateName: 'skolo-verify-', namespace };
  const containers = [{ name: 'verify', image: 'skolo/verify', securityContext }];
  return { apiVersion: 'v1', kind: 'Pod', metadata, spec: { containers } };
}

/** As kubelets renew them: without leases, all nodes are lost. */
const lease: Created = {
  apiVersion: 'coordination.k8s.io/v1',
  kind: 'Lease',
  metadata: { generateName: 'skolo-verify-', namespace: 'kube-node-lease' },
  spec: {},
};

async function tryOut(
  host: Pick<Host, 'run'>,
  account: string,
  items: readonly Created[],
  objects: readonly ClusterObject[],
): Promise<string[]> {
  const command = `${kubectl} create --dry-run=server --validate=false -o json${account} -f -`;
  const { code, stdout, stderr } = await host.run(`timeout ${withinSeconds} ${command}`, {
    input: JSON.stringify({ apiVersion: 'v1', kind: 'List', items }),
    deadlineMs: (withinSeconds + 10) * 1000,
  });
  // One object after another, without those that were rejected.
  const texts = stdout.split(/(?<=^\})\n/m).filter(Boolean);
  const created = new Map(
    texts.map((text) => Created.parse(JSON.parse(text))).map((each) => [titleIn(each), each]),
  );
  const errors = stderr.split(/^(?=Error from server)/m).filter((text) => text.startsWith('Error'));
  const found = new Map<string, string[]>();
  const add = (why: string, item: Created) =>
    found.set(why, [...(found.get(why) ?? []), titleIn(item)]);
  for (const item of items) {
    const result = created.get(titleIn(item));
    if (result === undefined) {
      const isLate = code === 124 && errors.length === 0;
      const why = isLate ? `no response within ${withinSeconds} s` : (errors.shift() ?? stderr);
      const [, reason = why] =
        /: error when creating "STDIN": (?:pods "[^"]*" is forbidden: )?(.*)/s.exec(why) ?? [];
      add(`cannot be created: ${reason.trim().replaceAll('\n', ' ')}`, item);
      continue;
    }
    // A template has its defaults already.
    const changed = account === '' ? [] : changesIn(item, result);
    if (changed.length > 0) {
      const by = objects.filter((each) => isForeign(each) && /^Mutating|^Limit/.test(each.kind));
      add(
        `${fewOf(changed)} changed on creation, by ${by.map(titleOf).join(' or ') || 'a mutating admission policy'}`,
        item,
      );
    }
  }
  return [...found].map(([why, names]) => `${fewOf(names)} ${why}`);
}

function titleIn({ metadata: { namespace, generateName } }: Created): string {
  return `${namespace}/${generateName.replace(/-$/, '')}`;
}

/** Of the API server: defaults, the account's token, and what its priority class says. */
const usual =
  /\.(priority|preemptionPolicy|enableServiceLinks|serviceAccount|serviceAccountName)$|\.hostPort$|\.resources\.requests\.|kube-api-access-|\.tolerations\.|\.imagePullSecrets\./;

/** Paths of fields. */
function changesIn(sent: Created, got: Created): string[] {
  const partsOf = ({ metadata: { labels, annotations }, spec }: Created) =>
    new Map(leavesOf({ metadata: { labels, annotations }, spec }, ''));
  const [before, after] = [partsOf(sent), partsOf(got)];
  const paths = [...new Set([...before.keys(), ...after.keys()])];
  return paths.filter(
    (path) =>
      !isDeepStrictEqual(before.get(path), after.get(path)) &&
      (before.has(path) || !usual.test(path)),
  );
}

const Named = z.looseObject({ name: z.string() });

/** By path; an element of a list by its name. */
function leavesOf(value: unknown, path: string): [string, unknown][] {
  if (typeof value !== 'object' || value === null) return value == null ? [] : [[path, value]];
  return Object.entries(value).flatMap(([key, each]) => {
    const name = Array.isArray(value) ? (Named.safeParse(each).data?.name ?? key) : key;
    return leavesOf(each, `${path}.${name}`);
  });
}
