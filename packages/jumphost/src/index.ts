/** What a jumphost has to be, step by step, and how a bare Debian becomes it. */
export {
  agentState,
  betweenTasks,
  type HoldDeps,
  holdMachine,
  type MachineTasks,
  tooLong,
} from './between-tasks.ts';
export { type Download, downloader, type FileCheck, type UnknownSum } from './downloads.ts';
export {
  isPrepared,
  type PrepareOptions,
  prepare,
  type StepProgress,
  type StepState,
} from './engine.ts';
export { JumphostError } from './errors.ts';
export {
  checkByScript,
  differingFiles,
  factsIn,
  fileStep,
  linesOf,
  writeDiffering,
} from './files.ts';
export type { Guard } from './guarded-change.ts';
export { type HandOver, handOver } from './hand-over.ts';
export { type FileContent, type Host, openHost, type RunOptions } from './host.ts';
export type { ImageArchitecture } from './image/boot.ts';
export { makeDisk, makeRoot, refuseIncapable } from './image/disk.ts';
export {
  fixedAddress,
  identityFile,
  identityOf,
  identityText,
  publicKeysOf,
} from './image/identity.ts';
export { openRootFolder } from './image/root-folder.ts';
export { imageSteps } from './image/steps.ts';
export { clusterOn, type JoinCluster } from './join-cluster.ts';
export { findCronLines, findExports, findPredecessors, type Predecessor } from './predecessors.ts';
export { type RebootDeps, rebootJumphost, waitUntilQuiet } from './reboot.ts';
export { closeDisk, openDisk } from './replace/disk.ts';
export { cableStep, fenceStep } from './replace/fence.ts';
export { afterSwapSteps, rehearsalSteps, swapSteps } from './replace/index.ts';
export { type FoundState, findState, removeCopy, type StateCopy } from './replace/staging.ts';
export { type TakeOver, tookOver } from './replace/take-over.ts';
export { reportOf } from './report.ts';
export { bootIdOf, sendReboot } from './restart.ts';
export {
  type DaemonPlace,
  daemonNeeds,
  startSpareDaemon,
  stopSpareDaemon,
} from './spare-daemon.ts';
export type { Check, Step } from './step.ts';
export { type AskedService, accountsStep, manifestsStep, type Part } from './steps/cluster.ts';
export { guardedStep, sshTrial } from './steps/guarded.ts';
export { stepsOf, subnetOf } from './steps/index.ts';
export { imagesStep, k3sConfigStep, k3sStep } from './steps/k3s.ts';
export {
  agentSteps,
  agentSystemStep,
  formerClusterStep,
  joinSteps,
  nodeStep,
  removeAgent,
} from './steps/k3s-agent.ts';
export {
  endUnit,
  installBinary,
  installedVersion,
  k3sProgram,
  type Role,
  unitFile,
} from './steps/k3s-unit.ts';
export { leftExport } from './steps/nfs.ts';
export { aptScript, installDeadlineMs, packagesStep } from './steps/packages.ts';
export type { ProgramSources } from './steps/programs.ts';
export { clockStep } from './steps/settings.ts';
export { countsMemory, systemStep } from './steps/system.ts';
export { k3sVersion } from './steps/versions.ts';
export type { AgentMachine } from './upgrade/agents.ts';
export type { HealthDeps, OtherHealth } from './upgrade/health.ts';
export { upgradeSteps } from './upgrade/index.ts';
export { isOlder, parseK3sVersion } from './upgrade/k3s-version.ts';
