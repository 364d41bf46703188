/** The inventory of a rack. */

export { outletOf } from './checks/outlets.ts';
export { needsLogin } from './checks/warnings.ts';
export { withoutInferred } from './draft/infer-uplinks.ts';
export { ansibleInventory } from './formats/ansible.ts';
export { dnsmasqConfig } from './formats/dnsmasq.ts';
export { edgeosCommands } from './formats/edgeos.ts';
export { hostsFile } from './formats/hosts.ts';
export { expandedInventory } from './formats/inventory.ts';
export { jumphostHosts } from './formats/jumphost-hosts.ts';
export { sshConfig } from './formats/ssh-config.ts';
export { swarmingConfig } from './formats/swarming-config.ts';
export type { Finding, RackIssue } from './issues/issues.ts';
export * from './light.ts';
export { loginToRead } from './rack/login-to-read.ts';
export type { MachinePart } from './rack/machine-part.ts';
export { machinePartOf, readMachinePart } from './rack/machine-part.ts';
export { oncePerRack } from './rack/once-per-rack.ts';
export { swarmingSettings } from './rack/overrides.ts';
export type * from './rack/rack.ts';
export {
  connectedTo,
  dependsOn,
  feedsKnown,
  goesDark,
  losesPower,
  sharedPort,
} from './rack/wiring.ts';
export { hasRange } from './ranges/ranges.ts';
export {
  locateFindings,
  parseRack,
  rackOversights,
  readRack,
  readRackText,
  usableRack,
} from './read/load.ts';
export type { SeenBack } from './schema/back-check.ts';
export { rackJsonSchema } from './schema/json-schema.ts';
export {
  feedOf,
  formatOutlet,
  formatUsbPort,
  type Outlet,
  parseOutlet,
  parseUsbPort,
  type UsbPort,
} from './schema/outlets.ts';
export { type Expression, parseTemplate, templateFormat, uses } from './schema/request-template.ts';
export { notOkResponses, type Responses, responseMeanings } from './schema/settings/receivers.ts';
export type {
  AlertToPubsubSettings,
  PowerCycleDaemonSettings,
} from './schema/settings/settings.ts';
export { defaultSettings } from './schema/settings/settings.ts';
export { backupKeyFile, checkSecrets, secretReferences } from './secrets/references.ts';
export { LastGoodCopy } from './watch/last-good-copy.ts';
export type { RackWatch } from './watch/rack-watcher.ts';
export { watchRack } from './watch/watch.ts';
export { parseFile } from './yaml/checked-file.ts';
export { yamlErrors } from './yaml/syntax-errors.ts';
export { readYaml } from './yaml/yaml.ts';
