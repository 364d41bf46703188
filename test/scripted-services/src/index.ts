/** The services and agents of a rack, with scripted answers, for tests of their clients. */
export { startAgents } from './agents.ts';
export { startAlertToPubsub } from './alert-to-pubsub.ts';
export { askedAt, at, exampleCycle } from './cycles/example.ts';
export { alert } from './example/alerts.ts';
export { resultOf, versionsOf } from './example/backups.ts';
export { type GeneratedRack, generateRack } from './generated/rack.ts';
export {
  generatedAlerts,
  generatedBackups,
  generatedClients,
  generatedMachines,
  generatedPower,
} from './generated/worlds.ts';
export { largeRackYaml, startLargeRack } from './large-rack.ts';
export { Changes, machineStateHandlers, startMachineState } from './machine-state.ts';
export { startMetadataServer } from './metadata-server.ts';
export { startPowerCycleDaemon } from './power-cycle-daemon.ts';
export { type PubSubRacks, startPubSubRacks } from './pubsub-racks.ts';
export { startRouterBackup } from './router-backup.ts';
export { type Call, type ScriptedService, startScriptedService } from './service.ts';
export { createTokens, type TestTokens } from './tokens.ts';
