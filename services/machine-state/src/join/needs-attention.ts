/** Decides whether a machine needs attention from a person, which of its problems comes first, and what to do about it. Pure. */
import type { MachineCondition } from '@skolo/api';
import { sharedSilenceSeconds } from './condition.ts';
import { because, damageText, reasonsOf, type Told } from './sentence.ts';

/** Undefined: nothing that requires a person. */
export function needsAttentionOf(
  name: string,
  condition: MachineCondition,
  sources: Told,
): string | undefined {
  const { services, cause, flapping, agent, limits } = sources;
  // Once for all of its machines.
  if (cause !== undefined || condition === 'maintenance') return undefined;
  const power = services.power?.machines.get(name);
  if (power?.needsAttention !== undefined) return power.needsAttention;
  const stuck = power?.outlets.filter(({ stuckOff }) => stuckOff) ?? [];
  if (stuck.length > 0) {
    const [noun, verb, them] =
      stuck.length > 1 ? ['outlets', 'do', 'them'] : ['outlet', 'does', 'it'];
    const names = stuck.map(({ outlet }) => outlet).join(', ');
    return `${noun} ${names} ${verb} not turn on; check ${them}`;
  }
  switch (condition) {
    case 'quarantined':
      return reasonsOf(condition, sources);
    case 'gone':
      return power?.cycle === undefined
        ? (damageText(sources) ?? `find out why the agent is not responding${because(agent.why)}`)
        : undefined;
    case 'never-reported': {
      // Right after the start, the agent has not had enough time.
      const isSilent = agent.silentSeconds >= sharedSilenceSeconds(limits);
      const install = 'install the agent, or remove the machine from rack.yaml';
      return damageText(sources) ?? (isSilent ? install : undefined);
    }
    default:
      return flapping === undefined
        ? undefined
        : `the condition changed ${flapping.changes} times in an hour`;
  }
}
