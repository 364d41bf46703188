/** What a spare takes over of a jumphost: where it is, and what its absence means. */

export interface Part {
  /** Without the first slash, as in an archive. With `*`, all that begins so. */
  path: string;
  title: string;
  /** What it means that there is no copy of it. */
  without: string;
}

export const database = 'var/lib/rancher/k3s/server/db';
export const token = 'var/lib/rancher/k3s/server/token';

/** Sources: docs.k3s.io, Backup and Restore, and the layout of /var/lib/rancher/k3s/server. */
export const parts: readonly Part[] = [
  {
    path: 'var/lib/skolo/power-cycle-daemon',
    title: 'journal of power',
    without: 'what it left off stays off: compare skolo power status with what should be on',
  },
  {
    path: 'var/lib/skolo/alert-to-pubsub',
    title: 'spool of alerts',
    without: 'alerts that were accepted and not yet delivered are lost',
  },
  {
    path: 'var/lib/skolo/machine-state',
    title: 'history of machines',
    without: 'its notes, maintenance and quarantine are gone, and the history begins anew',
  },
  {
    path: 'var/lib/skolo/metadata-server',
    title: 'state of tokens',
    without: 'nothing: tokens are made new',
  },
  {
    path: 'var/lib/skolo/router-backup',
    title: 'state of backups',
    without: 'pinned host keys of equipment are gone, and all devices are read again',
  },
  {
    path: 'var/lib/skolo/router-backup/repository',
    title: 'history of configurations',
    without: 'skolo backup restore-history brings it from a copy',
  },
  {
    path: 'var/lib/skolo/alertmanager',
    title: 'silences',
    without: 'silenced alerts fire again',
  },
  { path: 'var/lib/skolo/prometheus', title: 'metrics', without: 'graphs begin anew' },
  {
    path: database,
    title: 'database of k3s',
    without: 'a new cluster: every machine joins again (skolo machine join)',
  },
  { path: token, title: 'token of k3s', without: 'nobody can open the database of k3s' },
  {
    path: 'var/lib/rancher/k3s/server/tls',
    title: 'CA of k3s',
    without: 'k3s takes it from its database',
  },
  {
    path: 'var/lib/rancher/k3s/server/cred',
    title: 'keys of k3s',
    without: 'k3s takes them from its database',
  },
  {
    path: 'etc/rancher/k3s',
    title: 'settings of k3s',
    without: 'keys that a person has added to config.yaml are gone',
  },
  {
    path: 'etc/rancher/node',
    title: 'node password of the jumphost',
    without: 'the cluster forgets the old one, and takes that of the spare',
  },
  {
    path: 'etc/ssh/ssh_host_*',
    title: 'ssh host keys',
    without: 'ssh of every workstation warns: ssh-keygen -R the name and address of the jumphost',
  },
];
