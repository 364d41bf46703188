/** Juniper EX switches and SRX routers (Junos). */
import { interfaces, type Model } from '../contract/model.ts';

const load = () => import('./junos.ts');

export const junos: Model = {
  name: 'junos',
  label: 'Juniper switch or router',
  elsewhere: ['juniper', 'juniper-srx', 'juniper_junos'],
  transports: ['ssh'],
  network: interfaces(
    'names such as ge-0/0/1',
    /^((ge|xe|et|mge)-\d{1,2}\/\d\/\d{1,2}(:\d)?|fxp0|me0|em0)$/,
  ),
  connectedHosts: { load },
  backup: { load, needs: 'the permissions secret and view-configuration', seenBy: 'its class' },
  reported: { model: /^version \d+\.\d+[A-Z][^;\n]*;/m, firmware: /^version (\d[^;\n]*);/m },
  // The login class read-only. It does not show the configuration.
  readOnly: ['hosts'],
  options: {},
};
