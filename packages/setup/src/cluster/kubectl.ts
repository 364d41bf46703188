/** kubectl on a cluster's server, as its administrator. */

import { shellWord } from '@skolo/base';
import type { Host, RunOptions } from '@skolo/setup/engine';
import type { z } from 'zod';
import { ClusterError } from './errors.ts';

/** Namespace of the components of k3s and kubeadm; kubeadm's flannel has its own. */
export const systemNamespaces: ReadonlySet<string> = new Set(['kube-system', 'kube-flannel']);

/** For a root shell: k3s's or kubeadm's `kubectl`. */
export const kubectlPrelude = `kubectl() {
  if [ -e /etc/kubernetes/admin.conf ]; then command kubectl --kubeconfig /etc/kubernetes/admin.conf "$@"; else k3s kubectl "$@"; fi
}`;

export interface Kubectl {
  /** Its output. @throws ComputerError It failed. */
  run(args: readonly string[], options?: RunOptions): Promise<string>;
  /** Returns even failures, with code and standard error. */
  try(args: readonly string[], options?: RunOptions): ReturnType<Host['run']>;
  /** `get … -o json`, parsed. @throws ComputerError @throws ZodError */
  get<S extends z.ZodType>(schema: S, args: readonly string[]): Promise<z.output<S>>;
}

export function kubectlOn(server: Host): Kubectl {
  const scriptOf = (args: readonly string[]) =>
    `${kubectlPrelude}\nkubectl --request-timeout=30s ${args.map(shellWord).join(' ')}`;
  const run: Kubectl['run'] = (args, options) => server.need(scriptOf(args), options);
  return {
    run,
    try: (args, options) => server.run(scriptOf(args), options),
    async get(schema, args) {
      const text = await run(['get', ...args, '-o', 'json']);
      const parsed = schema.safeParse(JSON.parse(text));
      if (parsed.success) return parsed.data;
      throw new ClusterError(
        `${server.name}: kubectl get ${args.join(' ')}: unexpected response: ${parsed.error.message}`,
      );
    },
  };
}
