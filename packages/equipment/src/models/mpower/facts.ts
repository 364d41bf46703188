/** Ubiquiti mPower strip: a small Linux with a file for each relay. Its ssh needs `legacySsh` in the login. */
import { counted, type Model, whole } from '../contract/model.ts';

const load = () => import('./mpower.ts');

export const mpower: Model = {
  name: 'mpower',
  label: 'Ubiquiti mPower strip',
  transports: ['ssh'],
  power: { outlets: counted('outlet', 'outlets'), offSeconds: 10, nativeCycle: false, load },
  backup: { load, needs: 'the user of the web interface' },
  branches: { outlets: [], configuration: ['cat /tmp/system.cfg', 'cat /etc/board.info'] },
  options: { outlets: whole(1, 8).default(8).describe('Number of outlets: 1, 3, 6 or 8.') },
};
