/** The inventory of a rack. */

export { needsLogin } from './checks/warnings.ts';
export { ansibleInventory } from './formats/ansible.ts';
export { dnsmasqConfig } from './formats/dnsmasq.ts';
export { edgeosCommands } from './formats/edgeos.ts';
export { hostsFile } from './formats/hosts.ts';
export { expandedInventory } from './formats/inventory.ts';
export { jumphostHosts } from './formats/jumphost-hosts.ts';
export { sshConfig } from './formats/ssh-config.ts';
export { swarmingConfig } from './formats/swarming-config.ts';
export type { Finding, RackIssue } from './issues/issues.ts';
export { formatIssue, RackError } from './issues/issues.ts';
export { didYouMean } from './issues/suggest.ts';
export type { MachinePart } from './rack/machine-part.ts';
export { machinePartOf, readMachinePart } from './rack/machine-part.ts';
export { swarmingSettings } from './rack/overrides.ts';
export type * from './rack/rack.ts';
export { hostOfUrl, serviceMetricsUrl, serviceUrl } from './rack/service-urls.ts';
export { dependsOn, feedsKnown, goesDark } from './rack/wiring.ts';
export {
  expandNames,
  expandRange,
  foldRange,
  hasRange,
  RangeSyntaxError,
} from './ranges/ranges.ts';
export { locateFindings, parseRack, rackWarnings, readRack, salvageRack } from './read/load.ts';
export { rackJsonSchema } from './schema/json-schema.ts';
export {
  feedOf,
  formatOutlet,
  formatUsbPort,
  parseOutlet,
  parseUsbPort,
} from './schema/outlets.ts';
export { isJsonTemplate, templatePlace } from './schema/request-template.ts';
export { type ServiceName, serviceNames, servicePorts } from './schema/service-ports.ts';
export type {
  AlertToPubsubSettings,
  PowerCycleDaemonSettings,
} from './schema/settings/settings.ts';
export { defaultSettings } from './schema/settings/settings.ts';
export { checkSecrets, secretReferences } from './secrets/references.ts';
export type { RackWatch } from './watch/watch.ts';
export { watchRack } from './watch/watch.ts';
export { parseFile } from './yaml/checked-file.ts';
export { yamlMistakes } from './yaml/syntax-errors.ts';
export { readYaml } from './yaml/yaml.ts';
