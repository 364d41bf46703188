/**
 * Decides by the label `rack` which alerts are about a rack: racks may share an Alertmanager, and have machines of the same name. Prometheus
 * in kube/base adds it as an external label.
 */
import type { Rack } from '@skolo/rack';

/** Reports whether an alert is about this rack, or does not say about which one, as those of a lab's own Prometheus. */
export function isOfRack(
  { name }: Pick<Rack, 'name'>,
  { rack }: Readonly<Record<string, string | undefined>>,
): boolean {
  return !rack || rack === name;
}

/** Returns the matcher with which a silence in Alertmanager applies to the same alerts. */
export function rackMatcher({ name }: Pick<Rack, 'name'>) {
  return { name: 'rack', value: `${name}|`, isRegex: true, isEqual: true };
}
