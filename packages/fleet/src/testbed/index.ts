/** `@skolo/fleet/testbed`: the testbed of kube/testbed on a cluster. */
export { testbedDown } from './down.ts';
export type { Nfs } from './facts.ts';
export { runPipeline } from './run-pipeline.ts';
export { type PartResult, testbedUp } from './up.ts';
export { nodeUrl, verifyTestbed } from './verify.ts';
