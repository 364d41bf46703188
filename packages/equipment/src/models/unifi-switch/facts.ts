/** Ubiquiti UniFi switch, over ssh. Its controller overwrites what was not set there, so only cycles are safe. */
import { counted, type Model, whole } from '../contract/model.ts';

const load = () => import('./unifi-switch.ts');

export const unifiSwitch: Model = {
  name: 'unifi-switch',
  label: 'Ubiquiti UniFi switch',
  elsewhere: ['ubiquiti_unifiswitch'],
  transports: ['ssh', 'telnet'],
  power: { outlets: counted('port', 'portCount'), offSeconds: 5, nativeCycle: true, load },
  network: counted('port', 'portCount', { extra: 4 }),
  connectedHosts: { load },
  backup: { load, needs: 'the SSH user that the controller sets' },
  branches: {
    configuration: ['cat /tmp/system.cfg', 'cat /etc/board.info'],
    outlets: [
      'if it has no swctrl, in its Fastpath command line: show poe port all, show poe status all',
    ],
  },
  options: { portCount: whole(5, 48).default(48).describe('Number of PoE ports.') },
};
