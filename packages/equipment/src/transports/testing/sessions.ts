/** Sessions with servers whose answers a test defines, closed at its end. */
import { Secret } from '@skolo/base/secrets';
import type { RealSshd } from '@skolo/simulators';
import type { ServerChannel } from 'ssh2';
import { expect, onTestFinished } from 'vitest';
import { openCli, openExec } from '../session/open.ts';
import type { SessionDeps, Target } from '../session.ts';
import { fastpath } from './dialects.ts';
import { type FakeSwitchOptions, fakeSwitch } from './fake-switch.ts';
import { startSshServer } from './ssh-server.ts';
import { deps, soon, target } from './targets.ts';

export async function openFakeSwitch(options: FakeSwitchOptions = {}) {
  const device = fakeSwitch(options);
  const server = await startSshServer({ shell: device.serve });
  const cli = await openCli(target(server.port), 'ssh', fastpath, await deps(), soon());
  onTestFinished(() => cli.close());
  return { cli, device, server };
}

export async function openCommands(to: Target, sessionDeps?: SessionDeps) {
  const session = await openExec(to, sessionDeps ?? (await deps()), soon());
  onTestFinished(() => session.close());
  return session;
}

export async function openServer(exec: (channel: ServerChannel, command: string) => void) {
  const server = await startSshServer({ exec: (command, channel) => exec(channel, command) });
  return { server, session: await openCommands(target(server.port)) };
}

export function sshdTarget({ port, username, privateKey }: RealSshd): Target {
  return target(port, { username, privateKey: new Secret(privateKey) });
}

export async function failsWith(
  asked: Promise<unknown>,
  kind: new (...args: never[]) => Error,
  text: string | RegExp,
): Promise<void> {
  await expect(asked).rejects.toBeInstanceOf(kind);
  await expect(asked).rejects.toThrow(text);
}
