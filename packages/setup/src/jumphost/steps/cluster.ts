/** The cluster's prerequisites for the overlay, and the overlay. */
import { shellWord } from '@skolo/base';
import { checkByScript, type Step } from '@skolo/setup/engine';
import { type AskedService, askService, kubectl } from '@skolo/setup/k3s';
import { readFailedOver } from '../existing/failed-over.ts';

/** For a cluster that has just started. */
const patienceSeconds = 180;

const label = 'node-restriction.kubernetes.io/skolo-jumphost';

/** Labels this node as the jumphost, which no machine can do for itself. */
export function labelStep(node: string): Step {
  const name = shellWord(node);
  return {
    name: 'label',
    about: `only node ${node} has the jumphost label`,
    check:
      checkByScript(`nodes=$(${kubectl} get nodes -l ${label}=true -o name 2>&1) || { echo "$nodes" | tail -n 1 >&2; exit 1; }
case " $(echo $nodes) " in *" node/"${name}" "*) ;; *) echo 'the node '${name}' lacks the label ${label}=true' ;; esac
for each in $nodes; do
  [ "$each" = node/${name} ] || echo "by hand: $each also has the label; run k3s kubectl label $each ${label}-"
done`),
    async apply(host) {
      // A kubelet registers its node some seconds after the API server is ready.
      await host.need(
        `left=${patienceSeconds}
until ${kubectl} get node ${name} > /dev/null 2>&1 || [ "$left" -le 0 ]; do left=$((left - 2)); sleep 2; done
${kubectl} label --overwrite node ${name} ${label}=true`,
        { deadlineMs: (patienceSeconds + 60) * 1000 },
      );
    },
  };
}

/** The parts of a rack that other skolo commands deliver. */
export interface Part {
  /** What would change, a text for each. */
  differs(): Promise<string[]>;
  apply(): Promise<void>;
}

export function overlayStep(part: Part): Step {
  return partStep('overlay', 'the cluster runs the versions in git', part);
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

/** Queries each service that k3s runs: it must be ready and report its version. The `existing-system` step checks the others. */
export function servicesStep(services: readonly AskedService[]): Step {
  return {
    name: 'services',
    about: 'all services are ready, and no systemd unit has failed, hangs or was stopped',
    async check(host) {
      const failedOver = await readFailedOver(host);
      const asked = services.filter(({ name }) => !failedOver.has(name));
      const answers = await Promise.all(asked.map((each) => askService(host, each)));
      return {
        differs: answers.flatMap((each) => each.differs),
        note: answers.flatMap(({ note }) => note ?? []).join(', '),
      };
    },
  };
}
