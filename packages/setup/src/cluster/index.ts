/** Creates, verifies, measures and removes Kubernetes clusters of Raspberry Pis. */
export { measure } from './bench/measure.ts';
export { barOf, plotOf, short } from './bench/plot.ts';
export { type Compared, compared, earlierRuns, remarksOn, writeRun } from './bench/runs.ts';
export type { Member } from './distribution.ts';
export { type Distribution, placeOf } from './distribution.ts';
export { k3s } from './k3s.ts';
export { kubeadm } from './kubeadm/index.ts';
export { kubeadmVersion, minorOf } from './kubeadm/versions.ts';
export { nodesOn } from './nodes.ts';
export { type Loss, lossOf, type Removed, removeNodes } from './reset.ts';
export { deploy, isDone, type MemberResult, setUp } from './set-up.ts';

export { verify } from './verify/index.ts';
