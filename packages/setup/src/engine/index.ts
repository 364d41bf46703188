/** Configures computers in steps: hosts, files, guarded changes, downloads, and what checks and applies. */
export {
  isPrepared,
  type PrepareOptions,
  prepare,
  type StepProgress,
  type StepState,
} from './engine.ts';
export { ComputerError } from './errors.ts';
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
} from './files.ts';
export {
  changeGuarded,
  type Guard,
  type Trial,
  unconfirmed,
  whyNoSession,
} from './guarded-change.ts';
export { guardedStep } from './guarded-step.ts';
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
export { withLock } from './lock.ts';
export { onlyRoot, onlyRootProgram } from './only-root.ts';
export { type Check, fewOf, type Step } from './step.ts';
