/** Cisco Nexus (NX-OS): no PoE. */
import { interfaces, type Model } from '../contract/model.ts';

const load = () => import('./nxos.ts');

export const nxos: Model = {
  name: 'nxos',
  label: 'Cisco Nexus switch',
  elsewhere: ['cisco-nx', 'ios-nx', 'cisco_nxos'],
  transports: ['ssh'],
  network: interfaces('names such as Eth1/1', /^(Eth\d{1,3}(\/\d{1,2}){1,2}|mgmt0)$/, {
    Ethernet: 'Eth',
  }),
  connectedHosts: { load },
  backup: { load, needs: 'the role network-admin or vdc-admin', seenBy: '`show user-account`' },
  reported: {
    model: /^version \d+\.\d+\(\S+|Nexus (?:Operating System|.*Chassis\b)/m,
    firmware: /^(?: *NXOS: | +system: +)?version (\d+\.\d+\(\S+)/m,
  },
  // The role network-operator. It does not see secrets in the configuration.
  readOnly: ['hosts'],
  options: {},
};
