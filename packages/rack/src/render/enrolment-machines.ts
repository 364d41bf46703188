/** Patch of kube/components/enrolment: the nodes that machine-state may remove from the cluster. */
import type { Rack } from '../rack/rack.ts';
import type { DerivedFile } from './derived-file.ts';

const policy = 'skolo-enrolment';

export function enrolmentMachines(rack: Rack): DerivedFile[] {
  if (rack.services['machine-state'].enrolment === undefined) return [];
  const pis = [...rack.machines.values()].filter(({ kind }) => kind === 'rpi');
  // A JSON list of texts is also valid in CEL.
  const expression = JSON.stringify(pis.map(({ name }) => name));
  return [
    {
      name: 'enrolment-machines.yaml',
      about: 'Machines whose nodes and node passwords machine-state may remove from the cluster.',
      objects: [
        {
          apiVersion: 'admissionregistration.k8s.io/v1',
          kind: 'ValidatingAdmissionPolicy',
          metadata: { name: policy },
          spec: { variables: [{ name: 'machines', expression }] },
        },
      ],
      use: { kind: 'ValidatingAdmissionPolicy', name: policy },
    },
  ];
}
