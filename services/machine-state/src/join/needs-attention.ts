/** Decides whether a machine needs attention from a person, which of its problems comes first, and what to do about it. Pure. */
import type { MachineCondition } from '@skolo/api';
import { because, damageText, reasonsOf, type Told } from './sentence.ts';

/** Undefined: nothing that requires a person. */
export function needsAttentionOf(
  name: string,
  condition: MachineCondition,
  sources: Told,
): string | undefined {
  const { services, cause, flapping, agent } = sources;
  // Once for all of its machines.
  if (cause !== undefined || condition === 'maintenance') return undefined;
  const power = services.power?.machines.get(name);
  if (power?.needsAttention !== undefined) return power.needsAttention;
  switch (condition) {
    case 'quarantined':
      return reasonsOf(condition, sources);
    case 'gone':
      return power?.cycle === undefined
        ? (damageText(sources) ?? `find out why the agent is not responding${because(agent.why)}`)
        : undefined;
    case 'never-reported':
      return damageText(sources) ?? 'install the agent, or remove the machine from rack.yaml';
    default:
      return flapping === undefined
        ? undefined
        : `the condition changed ${flapping.changes} times in an hour`;
  }
}
