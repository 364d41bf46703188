/** Any Linux host that routes, switches or serves: its files are backed up. */
import { z } from 'zod';
import { interfaces, type Model } from '../contract/model.ts';
import { linuxHosts } from '../families/linux-facts.ts';

const load = () => import('./backup.ts');

export const linux = {
  name: 'linux',
  label: 'Linux host',
  elsewhere: ['linuxgeneric'],
  transports: ['ssh'],
  network: interfaces('names of Linux interfaces, such as eth0', /^[A-Za-z][\w.@-]{0,14}$/),
  connectedHosts: { load: () => import('./connected-hosts.ts') },
  backup: { load, needs: 'that all files can be read', seenBy: 'errors of find and tar' },
  branches: {
    configuration: ['tar archives of the files in that list'],
    hosts: linuxHosts('cat /var/lib/misc/dnsmasq.leases'),
  },
  // The kernel's tables and dnsmasq's leases are readable by every user.
  readOnly: ['hosts'],
  options: {
    files: z
      .array(z.string().regex(/^\//, 'must be an absolute path or glob, such as /etc/**'))
      .min(1)
      .default(['/etc/network/**', '/etc/hosts', '/etc/hostname', '/etc/nftables.conf'])
      .describe('Paths and globs to back up.'),
    exclude: z.array(z.string()).default([]).describe('Paths and globs to exclude.'),
    sudo: z.boolean().default(false).describe('Whether to read the files with `sudo -n`.'),
  },
} satisfies Model;
