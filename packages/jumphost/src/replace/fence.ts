/**
 * The former jumphost is fenced: the outlets that feed it are off, and read off. Two jumphosts at once would switch the same
 * outlets and answer at the same address.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { Client, powerCycleDaemonApi } from '@skolo/api';
import { JumphostError, type Step } from '@skolo/computers';

interface FenceNeeds {
  /** Name of the former jumphost. */
  jumphost: string;
  /** That feed it: `pdu-1/3`. */
  outlets: readonly string[];
  /** A daemon on the spare, to which the former jumphost is a machine. */
  power(): Promise<Pick<Client<typeof powerCycleDaemonApi>, 'outlets' | 'switchOutlets' | 'cycle'>>;
  reason: string;
  signal: AbortSignal;
}

/** For a controller that has to be asked again and again; milliseconds. */
const patienceMs = 120_000;
const betweenLooksMs = 500;

export function fenceStep({ jumphost, outlets, power, reason, signal }: FenceNeeds): Step {
  async function look(): Promise<string[]> {
    const all = (await (await power()).outlets()).outlets;
    return outlets.flatMap((name) => {
      const found = all.find(({ outlet }) => outlet === name);
      if (found?.state === 'off' && found.switchedOff !== undefined) return [];
      return [`${name} reads ${found?.state ?? 'nothing yet'}`];
    });
  }
  return {
    name: 'fence',
    about: `${jumphost} has no power: ${outlets.join(', ')} read off`,
    async check() {
      return { differs: await look(), note: `${outlets.join(', ')} read off` };
    },
    async apply() {
      const client = await power();
      const body = { targets: [jumphost], state: 'off' as const, reason, force: true };
      const { cycles, refused } = await client.switchOutlets({ body });
      const [cycle] = cycles;
      if (cycle === undefined) throw notFenced(jumphost, refused[0]?.detail ?? 'it was refused');
      const end = performance.now() + patienceMs;
      for (;;) {
        const { outcome, detail } = await client.cycle({ params: { id: cycle.id } });
        if (outcome === 'off') return;
        if (outcome !== undefined) throw notFenced(jumphost, detail ?? outcome);
        if (performance.now() > end) throw notFenced(jumphost, detail ?? 'no answer in time');
        await pause(betweenLooksMs, undefined, { signal });
      }
    },
  };
}

function notFenced(jumphost: string, why: string): JumphostError {
  return new JumphostError(
    `${jumphost} is not fenced: ${why}; pull its cables out, and run it again with --cable-is-out`,
  );
}

/** Only checked. A person has seen it: no outlet is known, or none obeys. */
export function cableStep(jumphost: string, isConfirmed: boolean): Step {
  return {
    name: 'fence',
    about: `a person has pulled the network cable of ${jumphost} out`,
    check: async () =>
      isConfirmed
        ? { differs: [], note: 'its cable is out, as a person has confirmed' }
        : { differs: ['a person has to confirm it'] },
  };
}
