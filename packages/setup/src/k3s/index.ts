/** k3s: program, settings, server, agents, joining and upgrades. */

export {
  agentSteps,
  agentSystemStep,
  clusterNodeStep,
  joinSteps,
  oldClusterStep,
  oldNodeStep,
  removeAgent,
} from './agent/agent.ts';
export { agentFiles, machineTaint } from './agent/agent-files.ts';
export {
  agentState,
  betweenTasks,
  type HoldDeps,
  holdMachine,
  jobOn,
  type MachineTasks,
  tooLong,
} from './agent/between-tasks.ts';
export { clusterOn, type JoinCluster } from './cluster/cluster.ts';
export { type ClusterNode, parseNodes } from './cluster/nodes.ts';
export { type AskedService, askService, fetchOn, readService } from './cluster/services.ts';
export { debianPlace, imageStoreUnit, nodeCheckFiles } from './program/image-store-check.ts';
export { imageStoreStep } from './program/image-store-settings.ts';
export { lastResort } from './program/node-network.ts';
export {
  binary,
  endUnit,
  installBinary,
  installedVersion,
  type K3sOptions,
  k3sProgram,
  type Role,
  unitFile,
} from './program/unit.ts';
export { isOlder, k3sVersion, parseK3sVersion } from './program/version.ts';
export { certificatesStep } from './server/certificates.ts';
export { accountsStep, kubectl, manifestsStep } from './server/manifests.ts';
export {
  imagesStep,
  k3sConfigStep,
  k3sStep,
  type ServerPlace,
} from './server/server.ts';
export type { AgentMachine } from './upgrade/agent.ts';
export { type AgentsNeeds, agentsStep } from './upgrade/agents.ts';
export type { HealthDeps, OtherHealth } from './upgrade/health.ts';
export { serverSteps, versionStep } from './upgrade/server.ts';
export { folder } from './upgrade/server-script.ts';
