/** flannel's manifest for computers with more than one network. */
import { parseAllDocuments } from 'yaml';
import { ClusterError } from '../errors.ts';

const at = ['spec', 'template', 'spec', 'containers', 0];

/**
 * By default, flannel uses the interface with the default route, which is Wi-Fi on a master that routes for the others. Nodes reach each
 * other at their own addresses.
 *
 * @throws ClusterError It is not a flannel manifest.
 */
export function flannelOn(manifest: string): string {
  const documents = parseAllDocuments(manifest);
  if (!Array.isArray(documents)) throw new ClusterError('the flannel manifest is empty');
  const daemons = documents.filter((each) => each.get('kind') === 'DaemonSet');
  for (const daemon of daemons) {
    daemon.addIn([...at, 'args'], '--iface=$(NODE_ADDRESS)');
    daemon.addIn(
      [...at, 'env'],
      daemon.createNode({
        name: 'NODE_ADDRESS',
        valueFrom: { fieldRef: { fieldPath: 'status.hostIP' } },
      }),
    );
  }
  if (daemons.length !== 1)
    throw new ClusterError('the flannel manifest must contain exactly one DaemonSet');
  return documents.map(String).join('');
}
