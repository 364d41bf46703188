/** Renders the derived files of a rack's overlay, such as how long pods may take to stop: a pure function of the rack. */

import { hostsOf, namesOf } from '../formats/hosts.ts';
import type { Remark } from '../issues/issues.ts';
import type { Json, Rack } from '../rack/rack.ts';
import { jumphostServices, serviceNames } from '../schema/service-ports.ts';
import { serviceSecrets } from '../secrets/service-secrets.ts';
import { type DerivedFile, head, podPatch, yamlText } from './derived-file.ts';
import { extraPorts } from './extra-ports.ts';
import { networkPolicies } from './network-policies.ts';
import { prometheusTargets } from './prometheus-targets.ts';
import { readme } from './readme.ts';
import { secretPatches } from './secrets.ts';
import { swarmingClientPatch } from './swarming-client.ts';
import { renderWarnings } from './warnings.ts';

interface Derived {
  /** Text by file name. */
  files: Map<string, string>;
  /** Settings in rack.yaml that do not work on k3s. */
  warnings: Remark[];
}

/**
 * Deterministic: the same rack gives the same text.
 *
 * @throws UnmountedSecretsError A secret is outside the directory that pods mount.
 */
export function renderDerived(rack: Rack): Derived {
  const secrets = serviceSecrets(rack);
  const files: DerivedFile[] = [
    ...secretPatches(secrets),
    hostAliases(rack),
    swarmingClientPatch(rack),
    ...stopGrace(rack),
    ...extraPorts(rack),
    ...enrolmentMachines(rack),
    prometheusTargets(rack),
    ...networkPolicies(rack),
  ];
  return {
    files: new Map([
      ['README.md', readme(rack, files, secrets)],
      [
        'kustomization.yaml',
        head(rack, 'Lists the derived files, and contains facts from rack.yaml.') +
          yamlText([kustomization(files, rack)]),
      ],
      ...files.map(({ name, about, objects }): [string, string] => [
        name,
        head(rack, about) + yamlText(objects),
      ]),
    ]),
    warnings: renderWarnings(rack, secrets),
  };
}

const enrolmentPolicy = 'skolo-enrolment';

/** Patch of kube/components/enrolment: the nodes that machine-state may remove from the cluster. */
function enrolmentMachines(rack: Rack): DerivedFile[] {
  if (rack.services['machine-state'].enrolment === undefined) return [];
  const pis = [...rack.machines.values()].filter(({ kind }) => kind === 'rpi');
  // A JSON list of texts is also valid in CEL.
  const expression = JSON.stringify(pis.map(({ name }) => name));
  return [
    {
      name: 'enrolment-machines.yaml',
      about: 'Machines whose nodes and node passwords machine-state may remove from the cluster.',
      objects: [
        {
          apiVersion: 'admissionregistration.k8s.io/v1',
          kind: 'ValidatingAdmissionPolicy',
          metadata: { name: enrolmentPolicy },
          spec: { variables: [{ name: 'machines', expression }] },
        },
      ],
      use: { kind: 'ValidatingAdmissionPolicy', name: enrolmentPolicy },
    },
  ];
}

/** The metadata server does not connect to any service. */
const clients = serviceNames.filter((name) => name !== 'metadata-server').sort();

/** Lines of /etc/hosts for clients of services on the jumphost: the rack's DNS may be down, and cluster DNS does not contain these names. */
function hostAliases(rack: Rack): DerivedFile {
  const { address } = rack.jumphost;
  const jumphost = hostsOf(rack).slice(0, 1);
  const hostnames = jumphost.flatMap((host) => namesOf(host, rack.network.domain));
  return {
    name: 'host-aliases.yaml',
    about: 'All names of the jumphost, for pods that connect to it.',
    objects: [podPatch('any', { hostAliases: [{ ip: address, hostnames }] })],
    use: {
      kind: 'Deployment|DaemonSet',
      labelSelector: `app.kubernetes.io/name in (${clients.join(',')})`,
    },
  };
}

/** Seconds that a pod may take to stop by default, as in kube/base. */
const usualSeconds = 30;
/** Seconds before and after `stopWithin`. */
const extraSeconds = 20;

/** For services with a longer `stopWithin` than kube/base allows. */
function stopGrace(rack: Rack): DerivedFile[] {
  return jumphostServices.flatMap((service) => {
    const seconds = Math.ceil(rack.services[service].stopWithin) + extraSeconds;
    if (seconds <= usualSeconds) return [];
    return {
      name: `stop-${service}.yaml`,
      about: `Time for ${service} to stop: its stopWithin plus ${extraSeconds} s.`,
      objects: [podPatch(service, { terminationGracePeriodSeconds: seconds })],
      use: { kind: 'Deployment', name: service },
    };
  });
}

/**
 * A component, so that its patches reach the rack's overlay. Lists the files; the facts become the ConfigMap `rack-facts` of both
 * namespaces, whose name changes with them.
 */
function kustomization(files: readonly DerivedFile[], rack: Rack): Json {
  const literals = Object.entries(rackFacts(rack)).map(([key, value]) => `${key}=${value}`);
  return {
    apiVersion: 'kustomize.config.k8s.io/v1alpha1',
    kind: 'Component',
    // The last component, so that every object gets the label, which `kubectl apply --prune` requires.
    labels: [{ pairs: { 'app.kubernetes.io/part-of': 'skolo' } }],
    resources: files.filter(({ use }) => use === 'resource').map(({ name }) => name),
    configMapGenerator: ['skolo', 'skolo-node'].map((namespace) => ({
      name: 'rack-facts',
      namespace,
      literals,
    })),
    patches: files.flatMap(({ name, use }) =>
      use === 'resource' ? [] : [{ path: name, target: { ...use } }],
    ),
  };
}

/** Data of the ConfigMap `rack-facts`. Values that a rack does not have are empty, because a pod does not start without a key. */
function rackFacts(rack: Rack): Record<string, string> {
  return {
    SKOLO_RACK_NAME: rack.name,
    SKOLO_RACK_SUBNET: rack.network.subnet ?? '',
    SKOLO_RACK_DOMAIN: rack.network.domain,
    SKOLO_JUMPHOST_NAME: rack.jumphost.name,
    SKOLO_JUMPHOST_ADDRESS: rack.jumphost.address,
  };
}
