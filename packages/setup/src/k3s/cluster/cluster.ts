/** The cluster of a rack, on its jumphost: the operations for machines that join or leave. */
import { shellWord } from '@skolo/base';
import { ComputerError, type Host } from '@skolo/setup/engine';
import { installedVersion } from '../program/unit.ts';
import { kubectl as k3sKubectl } from '../server/manifests.ts';
import { type ClusterNode, parseNode } from './nodes.ts';

/** On a jumphost. */
const fallback = '/opt/skolo/packages/fallback/bin/skolo-fallback';

export interface JoinCluster {
  /** Version of its server: `v1.32.5+k3s1`. */
  version(): Promise<string>;
  /** Undefined: no node has this name. */
  node(name: string): Promise<ClusterNode | undefined>;
  /**
   * Whether it stores a password for a node with this name, in which case k3s rejects computers with a different one.
   * Source: docs.k3s.io, Node Registration: the Secret `NAME.node-password.k3s`.
   */
  hasPassword(name: string): Promise<boolean>;
  /**
   * A token with which agents, but not servers, can join for a limited time. It contains the digest of the cluster's CA.
   *
   * @param ttl as a Go duration: `15m`
   * @param about who joins, for the list of tokens
   */
  newToken(ttl: string, about: string): Promise<string>;
  /** CA certificate of its servers, as PEM, which agents keep. */
  ca(): Promise<string | undefined>;
  taint(name: string, taint: string): Promise<void>;
  /** Removes the node and its password. */
  forget(name: string): Promise<void>;
}

/**
 * @param server the jumphost, which is not queried before it resolves
 * @param kubectl shell words: kubectl as administrator
 */
export function clusterOn(server: Host | Promise<Host>, kubectl = k3sKubectl): JoinCluster {
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
      // A jumphost's firewall admits the machines in the rack.yaml that was pushed last.
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
