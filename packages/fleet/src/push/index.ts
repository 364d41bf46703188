/** `@skolo/fleet/push`: deploys versions to racks. */
export { carryImages } from './carry-images.ts';
export { copyOverlay } from './copy-overlay.ts';
export type { FieldChange } from './field-set.ts';
export { whyIncomparable } from './health-gate.ts';
export { type Last, readLease } from './lease.ts';
export { readObjects, titleOf } from './objects.ts';
export {
  deletableKinds,
  deletionsWithoutQuestion,
  type ObjectPlan,
  type RackPlan,
} from './plan.ts';
export { prepareRackFile } from './prepare.ts';
export {
  type OpenedRack,
  type PreparedPush,
  type PreparedRack,
  type PushDeps,
  preparePush,
  takeLease,
} from './push.ts';
export { pushRackFile } from './push-rack-file.ts';
export { applyObjects, confirmed, deleteObjects, patient, planRack, stoppable } from './rack.ts';
export {
  hasEnded,
  openRecords,
  type PushRecord,
  type RackRecord,
  type Records,
  type Request,
} from './record.ts';
export { authorOf, commitFile, openRepository, pushesInGit, sendCommits } from './repository.ts';
export { usualTimes } from './rollout.ts';
export { type Running, readRunning } from './running.ts';
export { inStages, racksAtOnce, stagesOf } from './stages.ts';
export { readUnfinished } from './unfinished.ts';
export { missing, worsened } from './worsened.ts';
