/** All policies, by what they are about. Each gets the objects of a build, and returns the problems in them. */
import type { Manifest } from '../manifest.ts';
import { imageProblems } from './images.ts';
import { liveConfigurationProblems } from './live-configuration.ts';
import { flowProblems } from './network.ts';
import { placementProblems } from './placement.ts';
import { podSecurityProblems } from './pod-security.ts';
import {
  agentsWayProblems,
  hostPortProblems,
  nodePortProblems,
  publicServiceProblems,
  servicePortProblems,
} from './ports.ts';
import { messageProblems, probeProblems } from './probes.ts';
import { accountProblems, rbacProblems } from './rbac.ts';
import { referenceProblems, serviceNameProblems } from './references.ts';
import { emptyDirProblems, resourceProblems } from './resources.ts';
import { machineSecretProblems, secretProblems, variableProblems } from './secrets.ts';
import { defaultDenyProblems, policySelectorProblems, selectorProblems } from './selectors.ts';

type Policy = (objects: readonly Manifest[]) => string[];

/** Those that know everything from the objects. Privileges and time to stop also depend on rack.yaml. */
export const policies: ReadonlyMap<string, Policy> = new Map([
  ['images', imageProblems],
  ['resources', resourceProblems],
  ['size of emptyDirs', emptyDirProblems],
  ['probes', probeProblems],
  ['messages of failing containers', messageProblems],
  ['Pod Security', podSecurityProblems],
  ['selectors', selectorProblems],
  ['pods that NetworkPolicies name', policySelectorProblems],
  ['default-deny', defaultDenyProblems],
  ['ways between pods', flowProblems],
  ['references', referenceProblems],
  ['Services that configurations name', serviceNameProblems],
  ['no secret in git', secretProblems],
  ['no secret in variables', variableProblems],
  ['no secret on machines', machineSecretProblems],
  ['placement', placementProblems],
  ['roles', rbacProblems],
  ['accounts', accountProblems],
  ['ports of services', servicePortProblems],
  ['Services that the rack sees', publicServiceProblems],
  ['ports of hosts', hostPortProblems],
  ['node ports', nodePortProblems],
  ['way of agents to the power-cycle daemon', agentsWayProblems],
  ['live configuration', liveConfigurationProblems],
]);
