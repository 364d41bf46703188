/** What the cluster has to have before the overlay, and the overlay. */
import { shellWord } from '@skolo/base';
import { checkByScript, type Step } from '@skolo/computers';
import { type AskedService, askService } from '@skolo/k3s';
import { jumphostServices } from '@skolo/rack/light';
import { heldText, readHeld, whyNotServing } from '../existing/held.ts';

const kubectl = 'k3s kubectl';
/** Of a shell: there is no such command. */
const notFound = 127;
/** Of a cluster that has just started. */
const patienceSeconds = 180;

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
