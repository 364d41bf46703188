/** Arista switches (EOS). */
import { interfaces, type Model } from '../contract/model.ts';

const load = () => import('./eos.ts');

export const eos: Model = {
  name: 'eos',
  label: 'Arista switch',
  elsewhere: ['arista', 'arista_eos'],
  transports: ['ssh'],
  network: interfaces('names such as Et1', /^(Et\d{1,2}(\/\d{1,2}){0,2}|Ma\d)$/, {
    Ethernet: 'Et',
    Management: 'Ma',
  }),
  connectedHosts: { load },
  backup: { load, needs: 'privileged mode, and a role that permits `show running-config`' },
  reported: { model: /^Arista (\S+)$/m, firmware: /^Software image version: (\S+)/m },
  options: {},
};
