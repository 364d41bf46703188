import { Secret } from '@skolo/base/secrets';
import type { AuthContext } from 'ssh2';
import { describe, expect, it, vi } from 'vitest';
import { HostKeyChanged } from '../errors.ts';
import { openCli, openExec } from '../session/open.ts';
import { fastpath } from '../testing/dialects.ts';
import { openSsh, startSwitch } from '../testing/edge-switch.ts';
import { failsWith } from '../testing/sessions.ts';
import { fingerprintOf, newHostKey, startSshServer } from '../testing/ssh-server.ts';
import { deps, soon, target } from '../testing/targets.ts';

const signal = soon();

describe('the host key', () => {
  it('is pinned when it is first seen', async () => {
    const device = await startSwitch();
    const sessionDeps = await deps();

    await openSsh(device.port, { deps: sessionDeps });
    await openSsh(device.port, { deps: sessionDeps });

    expect(sessionDeps.hostKeys.get('switch-1')).toBe(device.hostKey);
    expect(sessionDeps.hostKeys.problem).toBeUndefined();
  });

  it('is not pinned by a device that does not let us in', async () => {
    const device = await startSwitch();
    const sessionDeps = await deps();
    const credentials = { password: new Secret('wrong') };

    await expect(openSsh(device.port, { credentials, deps: sessionDeps })).rejects.toThrow();

    expect(sessionDeps.hostKeys.list()).toEqual([]);
  });

  it('that has changed stops everything until it is forgotten, and no password is said', async () => {
    const auth = vi.fn((context: AuthContext) => context.accept());
    const server = await startSshServer({ auth, exec: (_, channel) => channel.exit(0) });
    const sessionDeps = await deps();
    await sessionDeps.hostKeys.pin('switch-1', fingerprintOf(newHostKey()));

    const opened = openExec(target(server.port), sessionDeps, signal);

    await failsWith(
      opened,
      HostKeyChanged,
      `the host key (ssh-rsa) is ${fingerprintOf(server.hostKey)}, not ${sessionDeps.hostKeys.get('switch-1')}: ` +
        'another host may be intercepting the connection; if it was replaced, run: skolo equipment forget switch-1',
    );
    expect(auth).not.toHaveBeenCalled();
    await sessionDeps.hostKeys.forget('switch-1');
    const session = await openExec(target(server.port), sessionDeps, signal);
    await session.close();
    expect(sessionDeps.hostKeys.get('switch-1')).toBe(fingerprintOf(server.hostKey));
  });

  it('of rack.yaml has the last word', async () => {
    const device = await startSwitch();
    const sessionDeps = await deps();
    const pinned = { ...target(device.port), hostKey: device.hostKey };
    await sessionDeps.hostKeys.pin('switch-1', 'SHA256:another');

    const cli = await openCli(pinned, 'ssh', fastpath, sessionDeps, signal);
    await cli.close();
    const other = { ...pinned, hostKey: fingerprintOf(newHostKey()) };

    await expect(openCli(other, 'ssh', fastpath, sessionDeps, signal)).rejects.toThrow(
      'fix its hostKey in rack.yaml',
    );
    expect(sessionDeps.hostKeys.get('switch-1')).toBe('SHA256:another');
  });
});
