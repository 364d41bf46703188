/** All racks, seen from a desk. */

export { roles } from './access.ts';
export {
  type Fleet,
  type FleetRack,
  findClustersFile,
  findRack,
  type GkeRack,
  type K3sRack,
  parseFleet,
  readFleet,
  usualFile,
  type Way,
} from './clusters.ts';
export { addRack, type NewRack, removeRack, withEpoch } from './clusters-edit.ts';
export { clustersJsonSchema } from './clusters-schema.ts';
export { askEachRack, type OnNextWay, type RackAnswer } from './each-rack.ts';
export { FleetError } from './errors.ts';
export { type Kubectl, KubectlError, kubectlWith } from './kubectl.ts';
export { type LocalServer, startLocalServer } from './local-server.ts';
export { type Computers, openComputers } from './open-computers.ts';
export { type Jumphost, type MachineTarget, openJumphost, openServer } from './open-jumphost.ts';
export { type OpenOptions, type OpenRack, openRack } from './open-rack.ts';
export type { Ended } from './program.ts';
export { healthPath, healthQueries, type RackHealth, readHealth } from './rack-health.ts';
export { startForward } from './service-forward.ts';
export { fetchBySharedWay, shareWay } from './shared-way.ts';
export { prepareShell } from './shell.ts';
export { wayName } from './ssh.ts';
export { machineFailure } from './ssh-failure.ts';
export { type AskableRack, askPrometheus, type RackStatus, statusOfRacks } from './status.ts';
export { type RackReport, surveyRacks } from './survey.ts';
