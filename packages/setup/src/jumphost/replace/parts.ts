/** Lists the parts of a jumphost's state that a spare takes over, with the consequences if one is missing. */

export interface Part {
  /** Without the leading slash, as in an archive. `*` matches everything with this prefix. */
  path: string;
  /** Default: a folder. */
  isFile?: true;
  title: string;
  /** The consequence if there is no copy of it. */
  without: string;
  /** Whoever chooses it controls the cluster, so a copy that is not authenticated must not contain it. */
  isClusterKey?: true;
}

export const machineHistory = 'var/lib/skolo/machine-state/history.sqlite';
export const database = 'var/lib/rancher/k3s/server/db';
export const token = 'var/lib/rancher/k3s/server/token';
export const settings = 'etc/rancher/k3s/config.yaml';

/**
 * Nothing else of a copy is placed, such as k3s' `manifests`, which k3s applies as the cluster's administrator.
 * Sources: docs.k3s.io, Backup and Restore, and the layout of /var/lib/rancher/k3s/server.
 */
export const parts: readonly Part[] = [
  {
    path: 'var/lib/skolo/power-cycle-daemon',
    title: 'power cycle journal',
    without:
      'outlets that were off stay off; run skolo power status to find outlets that should be on',
  },
  {
    path: 'var/lib/skolo/alert-to-pubsub',
    title: 'alert spool',
    without: 'alerts that were accepted but not delivered yet are lost',
  },
  {
    path: 'var/lib/skolo/machine-state',
    title: 'orders and notes',
    without: 'notes, maintenance and quarantine are lost',
  },
  {
    path: machineHistory,
    isFile: true,
    title: 'machine history',
    without: 'earlier conditions, tasks and graphs of machines are missing',
  },
  {
    path: 'var/lib/skolo/metadata-server',
    title: 'tokens',
    without: 'nothing is lost, because new tokens are requested',
  },
  {
    path: 'var/lib/skolo/router-backup',
    title: 'backup state',
    without: 'pinned SSH host keys of equipment are lost, and all equipment is backed up again',
  },
  {
    path: 'var/lib/skolo/router-backup/repository',
    title: 'configuration history',
    without:
      'earlier configurations are missing until you restore them with skolo backup restore-history',
  },
  {
    path: 'var/lib/skolo/alertmanager',
    title: 'silences',
    without: 'silenced alerts fire again',
  },
  { path: 'var/lib/skolo/prometheus', title: 'metrics', without: 'graphs start empty' },
  {
    path: database,
    title: 'k3s database',
    without: 'the cluster starts empty, and every machine must join it again (skolo machine join)',
  },
  {
    path: token,
    isFile: true,
    title: 'k3s token',
    without: 'k3s can decrypt its database only with the token from the secret store',
    isClusterKey: true,
  },
  {
    path: 'var/lib/rancher/k3s/server/tls',
    title: 'k3s CA',
    without: 'k3s restores the CA from its database',
    isClusterKey: true,
  },
  {
    path: 'var/lib/rancher/k3s/server/cred',
    title: 'k3s keys',
    without: 'k3s restores the keys from its database',
    isClusterKey: true,
  },
  {
    path: settings,
    isFile: true,
    title: 'k3s settings',
    without: 'settings that someone added to config.yaml are lost',
  },
  {
    path: 'etc/rancher/node',
    title: "jumphost's node password",
    without: "the cluster replaces it with the spare's password",
  },
  {
    path: 'etc/ssh/ssh_host_*',
    isFile: true,
    title: 'SSH host keys',
    without:
      'ssh warns on every workstation; run ssh-keygen -R for the name and the address of the jumphost',
  },
];

/** Paths that a spare takes from a copy, without those inside of others. Those of folders end with a slash. */
export function placedPaths(isAuthenticated: boolean): string[] {
  const paths = parts
    .filter(({ isClusterKey }) => isAuthenticated || !isClusterKey)
    .map(({ path, isFile }) => (isFile ? path : `${path}/`));
  return paths.filter((path) => !paths.some((each) => path !== each && path.startsWith(each)));
}
