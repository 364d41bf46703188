/** What stands in rack.yaml and cannot work on k3s, or not as it stands there. Nothing of it keeps a rack from starting. */
import type { Rack } from '../rack.ts';
import type { RenderWarning } from './derived-file.ts';
import type { ServiceSecret } from './secrets.ts';

export function renderWarnings(_rack: Rack, secrets: readonly ServiceSecret[]): RenderWarning[] {
  return secrets.flatMap(({ service, variables }) =>
    variables.map(({ name, where }) => ({
      where: where.join(', '),
      message: `is the variable ${name} of the Secret ${service}, which is read when the pod starts and never again; a file is better`,
    })),
  );
}
