/** A router with FRRouting; the account's shell, or a command, is vtysh. */
import { interfaces, type Model } from '../contract/model.ts';
import { linuxHosts } from '../families/linux-facts.ts';

const load = () => import('./backup.ts');

export const frr: Model = {
  name: 'frr',
  label: 'FRRouting router',
  elsewhere: ['zebra'],
  transports: ['ssh'],
  network: interfaces('names of Linux interfaces, such as eth0', /^[A-Za-z][\w.@-]{0,14}$/),
  connectedHosts: { load: () => import('./connected-hosts.ts') },
  backup: { load, needs: 'that all daemons are up', seenBy: '`show watchfrr`' },
  reported: { model: /^frr version \d/m, firmware: /^frr version (\S+)/m },
  branches: { hosts: linuxHosts() },
  // The kernel's tables are readable by every user.
  readOnly: ['hosts'],
  options: {},
};
