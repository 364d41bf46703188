/** What its tests are made with. */
import { startLinuxHost } from '@skolo/simulators';
import { mark } from '../testing/backed-up.ts';
import type { ModelProof } from '../testing/proof.ts';

export const proof: ModelProof = {
  backup: {
    needs: ['sshd'],
    async start() {
      const host = await startLinuxHost();
      if (host === undefined) return undefined;
      await host.write('etc/hostname', 'host-1\n');
      const { port, username, privateKey, root } = host;
      return {
        port,
        login: { username, privateKey },
        entry: `files: ["${root}/etc/**"]`,
        change: () => host.write('etc/motd', `${mark}\n`),
        close: () => host.close(),
      };
    },
  },
  testedWith: {
    backups: 'Debian 12 and BusyBox',
    restores: 'Debian 12 and BusyBox',
    'connected hosts': 'a Linux bridge',
  },
  recorded: { no: 'its tests use the real programs of Debian and BusyBox' },
};
