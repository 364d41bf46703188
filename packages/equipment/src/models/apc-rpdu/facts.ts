/** APC switched rack PDU of the first generation (AP7900 and its family): rPDU objects of PowerNet-MIB. */
import { counted, type Model, whole } from '../contract/model.ts';

const load = () => import('./apc-rpdu.ts');

export const apcRpdu: Model = {
  name: 'apc-rpdu',
  label: 'APC rack PDU, AP7900 family',
  transports: ['snmp'],
  // Its own "reboot" may leave an outlet off that was off before, so a cycle is separate off and on commands.
  power: { outlets: counted('outlet', 'outlets'), offSeconds: 10, nativeCycle: false, load },
  backup: { load, needs: 'an account of the type Administrator' },
  reported: { model: /\bAN1:apc_hw\w+_rpdu_.*\bMN:(\S+)/, firmware: /\bAF1:v(\S+)/ },
  // A community or user with read access (PowerNet-MIB).
  readOnly: ['outlets'],
  options: { outlets: whole(1, 48).default(24).describe('Number of outlets.') },
};
