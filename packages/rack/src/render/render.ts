/** The derived files of an overlay: a pure function of the rack. */

import type { Remark } from '../issues/issues.ts';
import type { Rack } from '../rack/rack.ts';
import { serviceSecrets } from '../secrets/service-secrets.ts';
import { type DerivedFile, head, yamlText } from './derived-file.ts';
import { enrolmentMachines } from './enrolment-machines.ts';
import { extraPorts } from './extra-ports.ts';
import { hostAliases } from './host-aliases.ts';
import { kustomization } from './kustomization.ts';
import { networkPolicies } from './network-policies.ts';
import { prometheusTargets } from './prometheus-targets.ts';
import { readme } from './readme.ts';
import { secretPatches } from './secrets.ts';
import { stopGrace } from './stop-grace.ts';
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
