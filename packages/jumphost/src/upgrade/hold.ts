/** A hold of a machine for as long as somebody works on it: no cycle begins, and its agent accepts no task. */
import type { Client, powerCycleDaemonApi } from '@skolo/api';
import { errorText } from '@skolo/errors';

export interface HoldDeps {
  power: Pick<Client<typeof powerCycleDaemonApi>, 'hold' | 'holds' | 'release'>;
  reason: string;
  /** Milliseconds since 1970. */
  now(): number;
  report(text: string): void;
}

export interface MachineHold {
  /** Absent: nothing holds it. */
  isHeld: boolean;
  release(): Promise<void>;
}

/** It ends by itself soon after a desk that is gone. */
const holdMs = 15 * 60_000;
const renewMs = 5 * 60_000;

/** A hold of somebody else stays as it is. Without the daemon there is none. */
export async function holdMachine(name: string, deps: HoldDeps): Promise<MachineHold> {
  const { power, reason, now, report } = deps;
  let id: string | undefined;
  async function hold() {
    const until = new Date(now() + holdMs).toISOString();
    const { holds } = await power.hold({ body: { targets: [name], reason, until } });
    id = holds[0]?.id;
  }
  try {
    const { holds } = await power.holds();
    const isOther = holds.some((each) => each.target === name && each.reason !== reason);
    if (isOther) return { isHeld: true, release: async () => {} };
    await hold();
  } catch (error) {
    report(`${name}: is not held, and may begin a task: ${errorText(error)}`);
    return { isHeld: false, release: async () => {} };
  }
  const renewal = setInterval(() => {
    hold().catch((error: unknown) => report(`${name}: its hold ends soon: ${errorText(error)}`));
  }, renewMs);
  return {
    isHeld: true,
    async release() {
      clearInterval(renewal);
      if (id === undefined) return;
      await power.release({ params: { id }, query: {} }).catch((error: unknown) => {
        report(`${name}: its hold ends by itself in ${holdMs / 60_000} min: ${errorText(error)}`);
      });
    },
  };
}
