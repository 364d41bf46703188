/**
 * Decides whether the old jumphost is really off (fenced) before a spare replaces it: turns off the outlets that feed it, and verifies
 * that they read off. Two jumphosts would switch the same outlets and respond at the same address.
 */

import type { Client, powerCycleDaemonApi } from '@skolo/api';
import { pause } from '@skolo/base';
import { ComputerError, type Step } from '@skolo/setup/engine';

interface FenceNeeds {
  /** Name of the old jumphost. */
  jumphost: string;
  /** That feed it: `pdu-1/3`. */
  outlets: readonly string[];
  /** A daemon on the spare, whose rack.yaml contains the old jumphost as a machine. */
  power(): Promise<Pick<Client<typeof powerCycleDaemonApi>, 'outlets' | 'switchOutlets' | 'cycle'>>;
  reason: string;
  signal: AbortSignal;
}

/**
 * Evidence that the old jumphost is fenced. Only the steps in this file create it, after they have verified it, so that a replacement
 * cannot start without a fence.
 */
class Evidence {
  readonly #keepOff: readonly string[];

  constructor(keepOff: readonly string[]) {
    this.#keepOff = keepOff;
  }

  /** Outlets that must stay off. */
  get keepOff(): readonly string[] {
    return this.#keepOff;
  }
}

export type FenceEvidence = Evidence;

export interface Fence {
  step: Step;
  /** @throws ComputerError The step has not verified that the old jumphost is fenced. */
  evidence(): FenceEvidence;
}

/** For a controller that must be queried repeatedly; milliseconds. */
const patienceMs = 120_000;
const betweenLooksMs = 500;

/** By its outlets. */
export function powerFence({ jumphost, outlets, power, reason, signal }: FenceNeeds): Fence {
  async function outletsNotOff(): Promise<string[]> {
    const all = (await (await power()).outlets()).outlets;
    return outlets.flatMap((name) => {
      const found = all.find(({ outlet }) => outlet === name);
      if (found?.state === 'off' && found.switchedOff !== undefined) return [];
      if (found?.state === 'off')
        return [`${name} is reported as off, but was not turned off by an operator`];
      return [
        `${name} ${found === undefined ? 'has not been read yet' : `is reported as ${found.state}`}`,
      ];
    });
  }
  return fence(jumphost, outlets, {
    name: 'fence',
    about: `${jumphost} does not have power; outlets reported as off: ${outlets.join(', ')}`,
    async check() {
      return { differs: await outletsNotOff(), note: `${outlets.join(', ')} confirmed off` };
    },
    async apply() {
      const client = await power();
      const body = { targets: [jumphost], state: 'off' as const, reason, force: true };
      const { cycles, rejected } = await client.switchOutlets({ body });
      const [cycle] = cycles;
      if (cycle === undefined) throw notFenced(jumphost, rejected[0]?.detail ?? 'rejected');
      const end = performance.now() + patienceMs;
      for (;;) {
        const { outcome, detail } = await client.cycle({ params: { id: cycle.id } });
        if (outcome === 'off') return;
        if (outcome !== undefined) throw notFenced(jumphost, detail ?? outcome);
        if (performance.now() > end)
          throw notFenced(
            jumphost,
            detail ?? `its outlets were not turned off within ${patienceMs / 1000} s`,
          );
        await pause(betweenLooksMs, signal);
      }
    },
  });
}

function notFenced(jumphost: string, why: string): ComputerError {
  return new ComputerError(
    `${jumphost} is not fenced: ${why}; unplug its network cable, and run the command again with --cable-is-out`,
  );
}

/** Check only: an operator has confirmed it, because its outlets are unknown or cannot be switched. */
export function cableFence(jumphost: string, isConfirmed: boolean): Fence {
  return fence(jumphost, [], {
    name: 'fence',
    about: `the network cable of ${jumphost} is unplugged`,
    check: async () =>
      isConfirmed
        ? { differs: [], note: 'an operator confirmed that its cable is unplugged' }
        : { differs: ['an operator must confirm this with --cable-is-out'] },
  });
}

function fence(jumphost: string, keepOff: readonly string[], step: Step): Fence {
  let isFenced = false;
  return {
    step: {
      ...step,
      async check(host) {
        isFenced = false;
        const found = await step.check(host);
        isFenced = found.differs.length === 0;
        return found;
      },
    },
    evidence() {
      if (isFenced) return new Evidence(keepOff);
      throw new ComputerError(`${jumphost} is not fenced; run the command again`);
    },
  };
}
