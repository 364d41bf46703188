/** What its tests are made with. */
import { startFrr } from '@skolo/simulators';
import { mark } from '../testing/backed-up.ts';
import type { ModelProof } from '../testing/proof.ts';

export const proof: ModelProof = {
  reported: {
    text: 'Building configuration...\n\nCurrent configuration:\n!\nfrr version 8.4.4\n',
    firmware: '8.4.4',
  },
  backup: {
    needs: ['sshd', 'frr'],
    async start() {
      const configuration = 'ip route 10.1.0.0/16 Null0\n';
      // As root it is a host with a shell, which shows what it would boot with.
      const shell = await startFrr({ configuration, account: 'shell' });
      const router = shell ?? (await startFrr({ configuration }));
      if (router === undefined) return undefined;
      await router.vtysh('write memory');
      const { port, username, privateKey } = router;
      const change = ['configure terminal', `ip prefix-list ${mark} permit 10.7.0.0/16`];
      return {
        port,
        login: { username, privateKey },
        tellsUnsaved: shell !== undefined,
        change: () => router.vtysh(...change),
        close: () => router.close(),
      };
    },
  },
  testedWith: {
    backups: 'FRR 8.4 behind OpenSSH',
    restores: 'FRR 8.4 behind OpenSSH',
    'connected hosts': 'a Linux bridge',
  },
  recorded: { no: 'its tests use the real program, FRR' },
};
