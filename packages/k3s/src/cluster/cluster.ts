/** The cluster of a rack, on its jumphost: what a machine that joins or leaves needs of it. */
import { shellWord } from '@skolo/base';
import { ComputerError, type Host } from '@skolo/computers';
import { installedVersion } from '../program/unit.ts';
import { type ClusterNode, parseNode } from './nodes.ts';

/** On a jumphost. */
const fallback = '/opt/skolo/packages/fallback/bin/skolo-fallback';

export interface JoinCluster {
  /** Of its server: `v1.32.5+k3s1`. */
  version(): Promise<string>;
  /** Undefined: it has no node of this name. */
  node(name: string): Promise<ClusterNode | undefined>;
  /**
   * Whether it knows the password of a node of this name. k3s then rejects every computer with another one.
   * Source: docs.k3s.io, Node Registration: the Secret `NAME.node-password.k3s`.
   */
  hasPassword(name: string): Promise<boolean>;
  /**
   * A token with which agents, and no servers, can join for a time. It has the digest of the cluster's CA.
   *
   * @param ttl of Go: `15m`
   * @param about for the list of tokens: who joins
   */
  newToken(ttl: string, about: string): Promise<string>;
  /** Certificate of the CA of its servers, as PEM; agents keep it. */
  ca(): Promise<string | undefined>;
  taint(name: string, taint: string): Promise<void>;
  /** Removes the node and its password. */
  forget(name: string): Promise<void>;
}

/**
 * @param server the jumphost; nothing is asked of it before it is there
 * @param kubectl words of a shell: kubectl, as administrator
 */
export function clusterOn(server: Host | Promise<Host>, kubectl = 'k3s kubectl'): JoinCluster {
  async function get(args: string): Promise<string | undefined> {
    const host = await server;
    const { code, stdout, stderr } = await host.run(`${kubectl} get ${args}`);
    if (code === 0) return stdout;
    if (stderr.includes('(NotFound)')) return undefined;
    throw new ComputerError(`${host.name}: ${stderr.split('\n').at(-1)}`);
  }
  const need = async (script: string) => (await server).need(script);
  const secretOf = (name: string) => shellWord(`${name}.node-password.k3s`);
  return {
    async version() {
      const host = await server;
      const version = await installedVersion(host);
      if (version !== undefined) return version;
      throw new ComputerError(`${host.name}: k3s is not installed; run skolo jumphost prepare`);
    },
    async node(name) {
      const text = await get(`node ${shellWord(name)} -o json`);
      return text === undefined ? undefined : parseNode(text);
    },
    hasPassword: async (name) =>
      (await get(`secret -n kube-system ${secretOf(name)} -o name`)) !== undefined,
    async newToken(ttl, about) {
      const words = `--ttl ${shellWord(ttl)} --description ${shellWord(about)}`;
      // The firewall of a jumphost admits the machines of the rack.yaml that was pushed last.
      const admit = `[ ! -x ${fallback} ] || ${fallback} sync > /dev/null || true`;
      return (await need(`${admit}\nk3s token create ${words}`)).trim();
    },
    ca: async () => (await server).read('/var/lib/rancher/k3s/server/tls/server-ca.crt'),
    async taint(name, taint) {
      await need(`${kubectl} taint node --overwrite ${shellWord(name)} ${shellWord(taint)}`);
    },
    async forget(name) {
      await need(
        `${kubectl} delete --ignore-not-found --wait=false node ${shellWord(name)} && ${kubectl} delete --ignore-not-found -n kube-system secret ${secretOf(name)}`,
      );
    },
  };
}
