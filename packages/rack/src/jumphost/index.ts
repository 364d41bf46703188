/** `@skolo/rack/jumphost`: definitions shared by the jumphost, its firewall, its fallback and the command. */
export * from './fallback.ts';
export { firewallMachines, firewallUnit, machinesFile } from './firewall.ts';
export { neverArchived } from './never-archived.ts';
export * from './statement.ts';
export * from './unfinished-push.ts';
