/** APC switched rack PDU of the second generation (AP8900 and its family): rPDU2 objects of PowerNet-MIB. */
import { counted, type Model, whole } from '../contract/model.ts';

const load = () => import('./apc-rpdu2.ts');

export const apcRpdu2: Model = {
  name: 'apc-rpdu2',
  label: 'APC rack PDU, AP8900 family',
  elsewhere: ['apc_aos'],
  transports: ['snmp'],
  power: { outlets: counted('outlet', 'outlets'), offSeconds: 10, nativeCycle: true, load },
  backup: { load, needs: 'an account of the type Administrator' },
  reported: { model: /\bAN1:apc_hw\w+_rpdu2g_.*\bMN:(\S+)/, firmware: /\bAF1:v(\S+)/ },
  // A community or user with read access (PowerNet-MIB). Only an administrator may read the configuration.
  readOnly: ['outlets'],
  options: { outlets: whole(1, 48).default(42).describe('Number of outlets.') },
};
