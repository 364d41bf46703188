/** The services and agents of a rack, with scripted answers, for tests of their clients. */
export { alertAnswers } from './alert-to-pubsub.ts';
export { askedAt, at, exampleCycle } from './cycles/example.ts';
export { alert } from './example/alerts.ts';
export { resultOf, versionsOf } from './example/backups.ts';
export {
  startAgents,
  startMachineState,
  startMetadataServer,
  startPowerCycleDaemon,
  startRouterBackup,
} from './example/services.ts';
export { type GeneratedRack, generateRack } from './generated/rack.ts';
export {
  generatedAlerts,
  generatedBackups,
  generatedClients,
  generatedMachines,
  generatedPower,
} from './generated/worlds.ts';
export { startLargeRack } from './large-rack.ts';
export { Changes, machineAnswers } from './machine-state.ts';
export { powerAnswers } from './power-cycle-daemon.ts';
export { type PubSubRacks, startPubSubRacks } from './pubsub-racks.ts';
export { backupAnswers } from './router-backup.ts';
export {
  type Answers,
  type ApiOf,
  type Call,
  type Place,
  type Scripted,
  startScripted,
} from './service.ts';
export { createTokens, type TestTokens } from './tokens.ts';
