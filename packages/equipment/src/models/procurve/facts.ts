/** HP ProCurve and ArubaOS-S switches. Ports are 1 to 48, or A1 to L24 in a chassis. */
import { interfaces, type Model } from '../contract/model.ts';

const load = () => import('./procurve.ts');

export const procurve: Model = {
  name: 'procurve',
  label: 'HP ProCurve switch',
  elsewhere: ['hp', 'hp_procurve', 'aruba_procurve'],
  transports: ['ssh', 'telnet'],
  network: interfaces(
    '1 to 52, A1 to L24, or names such as 2/14 in a stack',
    /^(([1-9]|10)\/)?([1-9]|[1-4]\d|5[0-2]|[A-L]([1-9]|1\d|2[0-4]))$/,
  ),
  connectedHosts: { load },
  backup: { load, needs: 'a manager, or an `enablePassword`' },
  reported: {
    model: /^; (\w+) Configuration Editor/m,
    firmware: /^; .*Created on release #(\S+)/m,
  },
  options: {},
};
