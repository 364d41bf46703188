/** Arista switches (EOS). */
import { interfaces, type Model } from '../contract/model.ts';

export const eos: Model = {
  name: 'eos',
  label: 'Arista switch',
  elsewhere: ['arista', 'arista_eos'],
  transports: ['ssh'],
  network: interfaces('as in Et1', /^(Et\d{1,2}(\/\d{1,2}){0,2}|Ma\d)$/, {
    Ethernet: 'Et',
    Management: 'Ma',
  }),
  stations: { load: () => import('./stations.ts') },
  backup: { load: () => import('./backup.ts') },
  accounts: { load: () => import('./accounts.ts') },
  options: {},
};
