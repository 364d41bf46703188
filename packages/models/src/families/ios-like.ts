/** What Cisco's IOS and the command lines that resemble it have in common. */
import type { Dialect } from '@skolo/equipment';
import { iosPager } from './pagers.ts';

export const iosLike = {
  privilege: {
    has: (prompt) => prompt.endsWith('#'),
    command: 'enable',
    password: /^Password: ?$/i,
  },
  setUp: ['terminal length 0', 'terminal width 511'],
  pagers: [iosPager],
  signOut: ['exit'],
} satisfies Partial<Dialect>;
