/** The derived files of a rack's overlay: a pure function of the rack. */
import type { Rack } from '../rack.ts';
import { type DerivedFile, head, type RenderWarning, yamlText } from './derived-file.ts';
import { extraPorts } from './extra-ports.ts';
import { hostAliases } from './host-aliases.ts';
import { kustomization } from './kustomization.ts';
import { networkPolicies } from './network-policies.ts';
import { prometheusTargets } from './prometheus-targets.ts';
import { rackFacts } from './rack-facts.ts';
import { readme } from './readme.ts';
import { secretPatches, serviceSecrets } from './secrets.ts';
import { stopGrace } from './stop-grace.ts';
import { swarmingClientPatch } from './swarming-client.ts';
import { renderWarnings } from './warnings.ts';

export interface Derived {
  /** Text by name; all of them in one folder. */
  files: Map<string, string>;
  /** What is in rack.yaml and does not work on k3s. */
  warnings: RenderWarning[];
}

/**
 * All that kustomize cannot read from rack.yaml itself. The same rack is the same text.
 *
 * @throws RenderError rack.yaml names secrets where no pod sees them.
 */
export function renderDerived(rack: Rack): Derived {
  const secrets = serviceSecrets(rack);
  const files: DerivedFile[] = [
    ...secretPatches(secrets),
    hostAliases(rack),
    swarmingClientPatch(rack),
    ...stopGrace(rack),
    ...extraPorts(rack),
    prometheusTargets(rack),
    networkPolicies(rack),
  ];
  return {
    files: new Map([
      ['README.md', readme(rack, files, secrets)],
      [
        'kustomization.yaml',
        head(rack, 'The derived files, and what is made of rack.yaml without one.') +
          yamlText([kustomization(files, rackFacts(rack))]),
      ],
      ...files.map(({ name, about, objects }): [string, string] => [
        name,
        head(rack, about) + yamlText(objects),
      ]),
    ]),
    warnings: renderWarnings(rack, secrets),
  };
}
