/** Configures computers in steps: hosts, files, guarded changes, downloads, and the engine that checks and applies. */
export { nodeStep, nodeVersion } from './debian/node.ts';
export { aptScript, installDeadlineMs, packagesStep } from './debian/packages.ts';
export { clockStep, journalFile, journalStep, nameStep, updatesStep } from './debian/settings.ts';
export {
  signInRejected,
  sshFile,
  sshPath,
  sshSettings,
  sshStep,
  trialServer,
} from './debian/sshd.ts';
export {
  type Architecture,
  architectureOf,
  countsMemory,
  judgeSystem,
  systemScript,
  systemStep,
} from './debian/system.ts';
export {
  isPrepared,
  type PrepareOptions,
  prepare,
  type StepProgress,
  type StepState,
} from './engine/engine.ts';
export {
  checkByScript,
  differingFiles,
  factsIn,
  fileStep,
  linesOf,
  pendingMark,
  withLines,
  writeDiffering,
  writtenHead,
} from './engine/files.ts';
export { changeGuarded, type Guard, unconfirmed } from './engine/guarded-change.ts';
export { guardedStep } from './engine/guarded-step.ts';
export { withLock } from './engine/lock.ts';
export { type Check, fewOf, type Step } from './engine/step.ts';
export { ComputerError } from './errors.ts';
export {
  type Download,
  downloader,
  type FileCheck,
  localFile,
  type Release,
  type UnknownSum,
} from './host/downloads.ts';
export {
  type FileContent,
  type Host,
  type LocalFile,
  openHost,
  openUserHost,
  type RunOptions,
  type TextFile,
} from './host/host.ts';
export { bootIdOf, sendReboot } from './host/restart.ts';
export { apart, openRootFolder } from './host/root-folder.ts';
export { waitUntil } from './host/wait-until.ts';
