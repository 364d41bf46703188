/** Patches for services with a longer `stopWithin` than kube/base allows. */
import type { Rack } from '../rack/rack.ts';
import { jumphostServices } from '../schema/service-ports.ts';
import { type DerivedFile, podPatch } from './derived-file.ts';

/** Default of kube/base. */
const usualSeconds = 30;
/** Before and after `stopWithin`. */
const extraSeconds = 20;

export function stopGrace(rack: Rack): DerivedFile[] {
  return jumphostServices.flatMap((service) => {
    const seconds = Math.ceil(rack.services[service].stopWithin) + extraSeconds;
    if (seconds <= usualSeconds) return [];
    return {
      name: `stop-${service}.yaml`,
      about: `Time for ${service} to stop: its stopWithin plus ${extraSeconds} s.`,
      objects: [podPatch(service, { terminationGracePeriodSeconds: seconds })],
      use: { kind: 'Deployment', name: service },
    };
  });
}
