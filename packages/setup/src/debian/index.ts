/** Steps that bring a Debian system to a state: packages, sshd, clock, journal, updates, Node. */
export { nodeStep, nodeVersion } from './node.ts';
export { aptFunction, aptScript, installDeadlineMs, packagesStep } from './packages.ts';
export { clockStep, journalFile, journalStep, nameStep, updatesStep } from './settings.ts';
export {
  signInRejected,
  sshFile,
  sshPath,
  sshStep,
} from './sshd.ts';
export {
  type Architecture,
  architectureOf,
  countsMemory,
  judgeSystem,
  systemScript,
  systemStep,
} from './system.ts';
