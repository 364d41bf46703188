/** Computers at one switch, each a bare Debian with systemd and sshd, and a workstation that reaches them. */

import { downloader } from '@skolo/setup/engine';
import {
  accounts,
  type BareJumphost,
  bridge,
  network,
  type OpenHost,
  openTestHost,
  startBareJumphost,
} from '@skolo/setup/k3s/testing';
import type { Computer } from '@skolo/simulators';
import type { Member } from '../distribution.ts';
import type { SetUpDeps } from '../set-up.ts';

export interface TestComputers {
  members: readonly (Required<Member> & { computer: Computer })[];
  /** Of the workstation. */
  deps(signal: AbortSignal): Omit<SetUpDeps, 'report' | 'isCheck'>;
  /** Of the programs of the workstation. */
  env: NodeJS.ProcessEnv;
  /** Closes what was opened, as the end of a command does. */
  disconnect(): Promise<void>;
  close(): Promise<void>;
}

/** @param count at most 99 */
export async function startComputers(count: number): Promise<TestComputers> {
  const places = Array.from({ length: count }, (_, at) => ({
    name: `host${String(at + 1).padStart(2, '0')}`,
    address: `${network}.${at + 8}`,
  }));
  const [first, ...others] = places;
  if (first === undefined) throw new Error('none');
  const bare: BareJumphost = await startBareJumphost({ bridge, place: first });
  const opened = new Map<string, Promise<OpenHost>>();
  async function disconnect() {
    const all = [...opened.values()];
    opened.clear();
    for (const each of all)
      await each.then(
        (host) => host.close(),
        () => undefined,
      );
  }
  async function close() {
    await disconnect();
    await bare.close();
  }
  try {
    const members = [{ ...first, computer: bare.computer }];
    for (const place of others) members.push({ ...place, computer: await bare.addSpare(place) });
    return {
      members,
      deps: (signal) => ({
        download: downloader({
          folder: bare.workstation.files,
          fetch,
          signal,
          confirm: async () => false,
        }),
        accounts,
        now: Date.now,
        readyMs: 120_000,
        by: 'a test',
        signal,
        open(name) {
          const rack = { ...bare.workstation.rack, name, jumphost: name, ways: [{ host: name }] };
          const host = opened.get(name) ?? openTestHost({ ...bare.workstation, rack }, signal);
          opened.set(name, host);
          return host;
        },
      }),
      disconnect,
      close,
      env: bare.workstation.env,
    };
  } catch (error) {
    await close();
    throw error;
  }
}
