/** Each component of a rack alone, which kustomize builds in a second. racks.test.ts has none of them, and all of them together. */
import { describe, expect, it } from 'vitest';
import { componentNames, noKubectl, rackNames } from './kustomize.ts';
import { buildWith, problemsOf } from './testing/rack-overlays.ts';

/** Components that another one cannot do without. */
const requirements = new Map([['apps-by-name/grafana', ['grafana', 'apps-by-name']]]);

describe.skipIf(noKubectl).each(rackNames())('%s', (rack) => {
  it.each(componentNames())('builds with the component %s alone', async (component) => {
    const objects = buildWith(rack, [...(requirements.get(component) ?? []), component]);

    expect(objects).not.toEqual([]);
    expect(await problemsOf(rack, objects)).toEqual([]);
  });
});
