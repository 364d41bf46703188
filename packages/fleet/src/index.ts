/** Access to all racks from a workstation. */

export { FleetError } from './errors.ts';
export {
  type Fleet,
  type FleetRack,
  findClustersFile,
  findRack,
  type K3sRack,
  readFleet,
  usualFile,
  type Way,
} from './racks/clusters.ts';
export { addRack, type NewRack, removeRack, withEpoch } from './racks/clusters-edit.ts';
export { clustersJsonSchema } from './racks/clusters-schema.ts';
export { askEachRack, type OnNextWay, type RackAnswer } from './racks/each-rack.ts';
export {
  countsBy,
  healthPath,
  healthQueries,
  judged,
  type RackHealth,
  readHealth,
} from './survey/rack-health.ts';
export { askPrometheus, type RackStatus, statusOfRacks } from './survey/status.ts';
export { type RackReport, surveyRacks } from './survey/survey.ts';
export { roles } from './way/access.ts';
export type { Kubectl } from './way/kubectl.ts';
export { type Guardian, startGuardian } from './way/local/guardian.ts';
export { startForward } from './way/local/service-forward.ts';
export { type Computers, openComputers } from './way/open-computers.ts';
export { openJumphost, openServer } from './way/open-jumphost.ts';
export { openRack } from './way/open-rack.ts';
export { fetchBySharedWay, shareWay } from './way/shared-way.ts';
export { prepareShell } from './way/shell.ts';
export { wayName } from './way/ssh/ssh.ts';
export { machineFailure } from './way/ssh/ssh-failure.ts';
export type { Jumphost, MachineTarget, OpenOptions, OpenRack } from './way/way.ts';
