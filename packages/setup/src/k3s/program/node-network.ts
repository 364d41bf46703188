/**
 * The network of a node, each time k3s starts: a script for a POSIX shell, with iproute2.
 *
 * By default, flannel sends the traffic of pods over the interface with the default route, which may be another network, and without a
 * default route, k3s exits. An option names the interface, but its name may change with each boot, so the script finds it by its address.
 * Without an address in the settings, k3s uses that of this interface.
 *
 * Without any default route, processes of the node also cannot connect to services of the cluster, because the kernel looks for a route
 * before kube-proxy's rules apply. An `unreachable` or `blackhole` route fails such connections, too. A bridge without ports leads
 * nowhere, and every node has the kernel's bridge module, unlike that for the dummy interface of k3s's documentation. Other destinations
 * fail after 3 s, as if the router were off.
 * Sources: docs.k3s.io, Air-Gap Install (Default Network Route); k3s, pkg/agent/flannel/flannel.go (LookupExtInterface) and
 * pkg/cli/agent/agent.go; flannel, pkg/ip/iface.go.
 */
import { script, withVariables } from '@skolo/base';
import type { TextFile } from '@skolo/setup/engine';

export const networkScript = '/usr/local/sbin/skolo-node-network';
/** The environment of k3s, with `SKOLO_FLANNEL_IFACE`. */
export const networkFile = '/run/skolo-node-network';
/** The interface of the route of last resort, which does not count as a default route: nothing can be reached over it. */
export const lastResort = 'skolo-last';

/** Tests run it with a different root. */
const content = withVariables(script(new URL('./node-network.sh', import.meta.url)), {
  last_resort: lastResort,
  environment: networkFile,
});

export const networkScriptFile: TextFile = { path: networkScript, content, mode: 0o755 };
