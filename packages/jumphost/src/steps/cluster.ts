/** What the cluster has to have before the overlay, and the overlay. */
import { shellWord } from '@skolo/base';
import { jumphostServices } from '@skolo/rack/light';
import { z } from 'zod';
import { JumphostError } from '../errors.ts';
import { checkByScript } from '../files.ts';
import { heldText, readHeld, whyNotServing } from '../held.ts';
import type { Host } from '../host.ts';
import type { Check, Step } from '../step.ts';

const kubectl = 'k3s kubectl';
/** Of a shell: there is no such command. */
const notFound = 127;
/** Of a cluster that has just started. */
const patienceSeconds = 180;

/**
 * Namespaces, and accounts of people: `skolo attach` and everything after it need them.
 *
 * @param manifests of kube/base/namespaces and kube/base/access
 */
export function accountsStep(manifests: () => Promise<string>, program = kubectl): Step {
  return manifestsStep({
    name: 'accounts',
    about: 'namespaces, and the accounts of people',
    manifests,
    kubectl: program,
  });
}

interface ManifestsStep extends Pick<Step, 'name' | 'about'> {
  manifests(): Promise<string>;
  /** Words of a shell: kubectl, as administrator. */
  kubectl: string;
}

/** Objects that have to be there. Those that are there stay as they are. */
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
      if (code === notFound) throw new JumphostError(stderr);
      return {
        differs:
          missing.length > 0
            ? missing.map(([, what = '']) => what)
            : [stderr.split('\n').at(-1) || 'the API server does not answer'],
      };
    },
    async apply(host) {
      await host.need(`${kubectl} apply --server-side --field-manager=skolo -f -`, {
        input: await manifests(),
      });
    },
  };
}

const label = 'node-restriction.kubernetes.io/skolo-jumphost';

/** This node is the jumphost. No machine can say that of itself. */
export function labelStep(node: string): Step {
  const name = shellWord(node);
  return {
    name: 'label',
    about: `the node ${node} is the jumphost, and no other is`,
    check:
      checkByScript(`nodes=$(${kubectl} get nodes -l ${label}=true -o name 2>&1) || { code=$?; echo "$nodes" | tail -n 1; [ $code != ${notFound} ] || exit $code; exit 0; }
case " $(echo $nodes) " in *" node/"${name}" "*) ;; *) echo 'the node '${name}' has no label ${label}=true' ;; esac
for each in $nodes; do
  [ "$each" = node/${name} ] || echo "by hand: $each has the label, too: k3s kubectl label $each ${label}-"
done`),
    async apply(host) {
      // A kubelet registers its node some seconds after the API server is there.
      await host.need(
        `left=${patienceSeconds}
until ${kubectl} get node ${name} > /dev/null 2>&1 || [ "$left" -le 0 ]; do left=$((left - 2)); sleep 2; done
${kubectl} label --overwrite node ${name} ${label}=true`,
        { deadlineMs: (patienceSeconds + 60) * 1000 },
      );
    },
  };
}

/** What other commands of skolo bring to a rack. */
export interface Part {
  /** What would change, a text for each. */
  differs(): Promise<string[]>;
  apply(): Promise<void>;
}

export function overlayStep(part: Part): Step {
  return partStep('overlay', 'everything of the rack runs as it is in git', part);
}

export function partStep(name: string, about: string, { differs, apply }: Part): Step {
  return {
    name,
    about,
    apply,
    async check() {
      const all = await differs();
      const more = all.length > 3 ? [`and ${all.length - 3} more`] : [];
      return { differs: [...all.slice(0, 3), ...more] };
    },
  };
}

/** A service of the rack, and where it says of itself how it is. */
export interface AskedService {
  name: string;
  namespace: string;
  metricsPort: number;
}

const Pods = z.object({
  items: z.array(
    z.object({
      metadata: z.object({ name: z.string(), deletionTimestamp: z.string().exactOptional() }),
      status: z.object({ podIP: z.string().exactOptional(), phase: z.string() }),
    }),
  ),
});

/** Asks each service itself: it is ready, and says which version it is. Where something else serves it, that must run. */
export function servicesStep(services: readonly AskedService[], rack: string): Step {
  return {
    name: 'services',
    about: 'each service says that it is ready, its names lead here, and no unit has failed',
    async check(host) {
      const held = await readHeld(host);
      const asked = services.filter(({ name }) => !held.has(name));
      const answers = await Promise.all(asked.map((each) => askService(host, each)));
      // Those of an existing system are looked at by the step `predecessors`.
      const own = jumphostServices.filter((each) => {
        const hold = held.get(each);
        return hold !== undefined && hold.former === undefined;
      });
      const silent = own.map(async (service) => {
        const why = await whyNotServing(host, service, [`skolo-${service}.service`]);
        return why.map(
          (each) =>
            `${service}: held, but ${each}; repair it, or let k3s serve: skolo jumphost rollback ${rack} ${service} --forward`,
        );
      });
      const notes = [
        ...answers.flatMap(({ note }) => note ?? []),
        ...[...held].map(([service, hold]) => heldText(rack, service, hold)),
      ];
      return {
        differs: [
          ...answers.flatMap((each) => each.differs),
          ...(await Promise.all(silent)).flat(),
        ],
        note: notes.join(', '),
      };
    },
  };
}

/** What keeps it from being ready, and its version. */
export async function askService(
  host: Pick<Host, 'run'>,
  { name, namespace, metricsPort }: AskedService,
): Promise<Check> {
  const hint = `kubectl describe pod -n ${namespace} -l app.kubernetes.io/name=${name}`;
  const { code, stdout, stderr } = await host.run(
    `${kubectl} get pods -n ${namespace} -l app.kubernetes.io/name=${name} -o json`,
  );
  if (code !== 0) return { differs: [`${name}: ${stderr.split('\n').at(-1)}`] };
  const pods = Pods.parse(JSON.parse(stdout)).items;
  const pod = pods.find(({ metadata }) => metadata.deletionTimestamp === undefined);
  const address = pod?.status.podIP;
  if (address === undefined) return { differs: [`${name}: has no pod that runs; see ${hint}`] };
  const url = `http://${address.includes(':') ? `[${address}]` : address}:${metricsPort}`;
  const answer = await host.run(askScript(url));
  const [status = '', version = '', ...body] = answer.stdout.split('\n');
  if (status === '200') return { differs: [], note: `${name} ${version}`.trim() };
  return { differs: [`${name}: ${body.join(' ').trim() || status || answer.stderr}; see ${hint}`] };
}

/** Status, version and body of \`/readyz\`. curl may not be there, Node is. */
function askScript(url: string): string {
  const script = `
const ask = async (path) => fetch(${JSON.stringify(url)} + path, { signal: AbortSignal.timeout(5000) });
try {
  const ready = await ask('/readyz');
  const body = await ready.text();
  const metrics = await ask('/metrics').then((answer) => answer.text()).catch(() => '');
  console.log(ready.status + '\\n' + (/_build_info\\{[^}]*version="([^"]*)"/.exec(metrics)?.[1] ?? '') + '\\n' + body.slice(0, 500));
} catch (error) { console.log('0\\n\\n' + (error.cause?.message ?? error.message)); }`;
  return `/usr/bin/node --input-type=module -e ${shellWord(script)}`;
}
