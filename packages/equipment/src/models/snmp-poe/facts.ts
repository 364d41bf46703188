/** Any switch with POWER-ETHERNET-MIB (RFC 3621). Port 14 of the first group is `14` or `1.14`; of the second `2.14`. */
import { counted, type Model, type Numbering, whole } from '../contract/model.ts';

const plain = counted('port', 'portCount', { alias: /^1\.(\d+)$/ });
const grouped: Numbering = {
  ...plain,
  range: (options) =>
    Number(options.groups) > 1
      ? `${plain.range(options)}, or 2.14 in group 2`
      : plain.range(options),
  find(outlet, options) {
    const [, group, port = ''] = /^([2-9])\.(\d+)$/.exec(outlet) ?? [];
    if (group === undefined) return plain.find(outlet, options);
    return Number(group) <= Number(options.groups) && plain.find(port, options)
      ? outlet
      : undefined;
  },
};

const load = () => import('./snmp-poe.ts');

export const snmpPoe: Model = {
  name: 'snmp-poe',
  label: 'PoE switch controlled over SNMP',
  transports: ['snmp'],
  power: { outlets: grouped, offSeconds: 5, nativeCycle: false, load },
  network: grouped,
  connectedHosts: { load },
  backup: {
    no: "SNMP provides no access to the configuration; if skolo has a model for the switch's command line, use that model instead",
  },
  branches: {
    hosts: [
      'snmp walk 1.3.6.1.2.1.17.1.4.1.2',
      'snmp walk 1.3.6.1.2.1.17.1.1 and 1.3.6.1.2.1.17.7.1.4.2.1.3',
      'snmp walk 1.3.6.1.2.1.17.7.1.2.2.1.2 and .3',
      'if that table is empty: snmp walk 1.3.6.1.2.1.17.4.3.1.2 and .3',
    ],
  },
  // A community or user with read access.
  readOnly: ['outlets', 'hosts'],
  options: {
    portCount: whole(1, 512).default(48).describe('Number of ports in each group.'),
    groups: whole(1, 9).default(1).describe('Number of groups, which are slots or stack members.'),
  },
};
