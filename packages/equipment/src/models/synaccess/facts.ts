/** Synaccess netBooter PDU, over HTTP. One client at a time; the command line over telnet is not used. */
import { z } from 'zod';
import { counted, type Model, whole } from '../contract/model.ts';

export const synaccess = {
  name: 'synaccess',
  label: 'Synaccess netBooter PDU',
  transports: ['http'],
  power: {
    outlets: counted('outlet', 'outlets'),
    offSeconds: 10,
    nativeCycle: true,
    load: () => import('./synaccess.ts'),
  },
  backup: { no: 'it cannot export its configuration' },
  branches: { outlets: [] },
  options: {
    outlets: whole(1, 24).default(16).describe('Number of outlets, as printed on the PDU.'),
    https: z
      .boolean()
      .default(false)
      .describe('Whether to use HTTPS, which only some models support.'),
  },
} satisfies Model;
