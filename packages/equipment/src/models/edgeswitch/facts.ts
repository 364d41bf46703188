/** Ubiquiti EdgeSwitch (Fastpath). Port 14 is `0/14` on the switch; a stack has `2/0/14`. */
import { z } from 'zod';
import { counted, type Model, type Numbering, whole } from '../contract/model.ts';

function stackable(extra: number): Numbering {
  const single = counted('port', 'portCount', { extra, alias: /^0\/(\d+)$/ });
  return {
    ...single,
    range: (options) =>
      options.stack ? `1/0/1 to 8/0/${Number(options.portCount) + extra}` : single.range(options),
    all: (options) => (options.stack ? [] : (single.all?.(options) ?? [])),
    find(outlet, options) {
      if (!options.stack) return single.find(outlet, options);
      const [, unit, port = ''] = /^([1-8])\/0\/(\d+)$/.exec(outlet) ?? [];
      return unit !== undefined && single.find(port, options) ? outlet : undefined;
    },
  };
}

const load = () => import('./edgeswitch.ts');

export const edgeswitch: Model = {
  name: 'edgeswitch',
  label: 'Ubiquiti EdgeSwitch',
  elsewhere: ['edgemax', 'ubiquiti_edge', 'ubiquiti_edgeswitch'],
  transports: ['ssh', 'telnet'],
  power: { outlets: stackable(0), offSeconds: 5, nativeCycle: true, load },
  // SFP ports come after the PoE ports.
  network: stackable(4),
  connectedHosts: { load },
  backup: { load, needs: 'a user of level 15, or an `enablePassword`' },
  reported: {
    model: /^!?System Description[". ]+(EdgeSwitch[^,"\n]*)/m,
    firmware: /Software Version[". ]+([^"\s]+)/,
  },
  branches: {
    outlets: [
      'show poe status all',
      'if it rejects show poe port: show running-config interface 0/PORT',
    ],
  },
  options: {
    portCount: whole(5, 48).default(48).describe('Number of PoE ports: 8, 16, 24 or 48.'),
    stack: z
      .boolean()
      .default(false)
      .describe('Whether it is a stack of switches, with port names such as 2/0/14.'),
  },
};
