/** The steps that turn a fresh Debian into a jumphost, and verify it. */
export { keepCheckedReboot } from './effective/boot.ts';
export { usesStep } from './effective/uses.ts';
export { type FailOver, failOver } from './existing/fail-over.ts';
export { findCronLines, findExports } from './existing/find.ts';
export type { ImageArchitecture } from './image/boot.ts';
export { makeDisk, makeRoot, rejectIncapable } from './image/disk.ts';
export {
  fixedAddress,
  identityFile,
  identityOf,
  identityText,
  publicKeysOf,
} from './image/identity.ts';
export { imageSteps } from './image/steps.ts';
export { type JumphostReading, jumphostReadings } from './look/readings.ts';
export { rebootJumphost, waitUntilQuiet } from './power/reboot.ts';
export {
  type DaemonPlace,
  daemonNeeds,
  startSpareDaemon,
  stopSpareDaemon,
} from './power/spare-daemon.ts';
export { closeDisk, openDisk } from './replace/disk.ts';
export { cableFence, type Fence, powerFence } from './replace/fence.ts';
export { afterSwapSteps, rehearsalSteps, swapSteps } from './replace/index.ts';
export { machineHistory } from './replace/parts.ts';
export {
  type FoundState,
  findState,
  type OlderHistory,
  removeCopy,
  type StateCopy,
} from './replace/staging.ts';
export { type TakeOver, tookOver } from './replace/take-over.ts';
export { reportOf } from './report.ts';
export type { Part } from './steps/cluster.ts';
export { stepsOf, subnetOf } from './steps/index.ts';
export { leftExport } from './steps/nfs.ts';
export type { ProgramSources } from './steps/programs.ts';
export { upgradeSteps } from './upgrade/index.ts';
