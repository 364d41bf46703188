/** How long a pod of the jumphost may take to stop, where rack.yaml gives its service more time than kube/base expects. */
import type { Rack } from '../rack.ts';
import { jumphostServices } from '../service-ports.ts';
import type { DerivedFile } from './derived-file.ts';

/** Of kube/base. */
const usualSeconds = 30;
/** For whatever comes before and after `stopWithin`. */
const extraSeconds = 20;

/** A patch for each service whose `stopWithin` would be cut short. */
export function stopGrace(rack: Rack): DerivedFile[] {
  return jumphostServices.flatMap((service) => {
    const seconds = Math.ceil(rack.services[service].stopWithin) + extraSeconds;
    if (seconds <= usualSeconds) return [];
    return {
      name: `stop-${service}.yaml`,
      about: `How long ${service} may take to stop: its stopWithin, and ${extraSeconds} s.`,
      objects: [
        {
          apiVersion: 'apps/v1',
          kind: 'Deployment',
          metadata: { name: service },
          spec: { template: { spec: { terminationGracePeriodSeconds: seconds } } },
        },
      ],
      use: { kind: 'Deployment', name: service },
    };
  });
}
