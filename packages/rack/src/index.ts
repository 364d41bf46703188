/** The inventory of a rack. */
export { ansibleInventory } from './formats/ansible.ts';
export { dnsmasqConfig } from './formats/dnsmasq.ts';
export { edgeosCommands } from './formats/edgeos.ts';
export { hostsFile } from './formats/hosts.ts';
export { sshConfig } from './formats/ssh-config.ts';
export { swarmingConfig } from './formats/swarming-config.ts';
export { expandedInventory } from './inventory.ts';
export type { Finding, RackIssue } from './issues.ts';
export { formatIssue, RackError } from './issues.ts';
export { rackJsonSchema } from './json-schema.ts';
export { jumphostHosts } from './jumphost-hosts.ts';
export { locateFindings, parseRack, rackWarnings, readRack, salvageRack } from './load.ts';
export { feedOf, formatOutlet, formatUsbPort, parseOutlet, parseUsbPort } from './outlets.ts';
export { swarmingSettings } from './overrides.ts';
export type * from './rack.ts';
export {
  expandNames,
  expandRange,
  foldRange,
  hasRange,
  RangeSyntaxError,
} from './ranges.ts';
export { isJsonTemplate, templatePlace } from './request-template.ts';
export { checkSecrets, secretReferences } from './secret-references.ts';
export { type ServiceName, serviceNames, servicePorts } from './service-ports.ts';
export { hostOfUrl, serviceMetricsUrl, serviceUrl } from './service-urls.ts';
export type {
  AlertToPubsubSettings,
  PowerCycleDaemonSettings,
} from './settings.ts';
export { defaultSettings } from './settings.ts';
export type { MachineSlice } from './slice.ts';
export { machineSlice, readMachineSlice } from './slice.ts';
export { didYouMean } from './suggest.ts';
export { needsLogin } from './warnings.ts';
export type { RackWatch } from './watch.ts';
export { watchRack } from './watch.ts';
export { dependsOn, feedsKnown, goesDark } from './wiring.ts';
export { readYaml } from './yaml.ts';
export { yamlMistakes } from './yaml-mistakes.ts';
