/** `@skolo/rack/jumphost`: what the jumphost, its firewall and its fallback agree on with the command. */
export * from './fallback.ts';
export { firewallMachines, firewallUnit, machinesFile } from './firewall.ts';
export * from './statement.ts';
