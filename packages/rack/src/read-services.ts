/** The section `services`: strict about the sections that are one's own. */
import type { z } from 'zod';
import { check } from './describe.ts';
import { type Problem, shown } from './issues.ts';
import { withoutRefused } from './lenient.ts';
import { isMap } from './plain.ts';
import { type ServiceName, serviceNames } from './service-ports.ts';
import { type ServicesSettings, settingsSchemas as schemas } from './settings.ts';
import { didYouMean } from './suggest.ts';

/**
 * Settings of all services. Without `strictFor`, unknown services are a mistake, too; with it, what is not understood in
 * the section of another service is left out of it.
 */
export function readServices(
  value: unknown,
  strictFor: ServiceName | undefined,
  problems: Problem[],
): ServicesSettings {
  const written = isMap(value) ? value : {};
  if (value !== undefined && !isMap(value)) {
    const message =
      value === null ? 'is empty; remove the key' : `expected a map, found ${shown(value)}`;
    problems.push({ path: ['services'], rule: 'type', message });
  }
  if (strictFor === undefined) {
    for (const name of Object.keys(written)) problems.push(...unknownService(name));
  }

  function read<S extends z.ZodType>(name: ServiceName, schema: S): z.output<S> {
    const strict = strictFor === undefined || strictFor === name;
    const raw = strict ? written[name] : withoutRefused(schema, written[name]);
    const { value, problems: found } = check(schema, raw, ['services', name]);
    if (found === undefined) return value;
    problems.push(...found);
    return schema.parse(undefined);
  }

  return {
    'metadata-server': read('metadata-server', schemas['metadata-server']),
    'router-backup': read('router-backup', schemas['router-backup']),
    'power-cycle-daemon': read('power-cycle-daemon', schemas['power-cycle-daemon']),
    'alert-to-pubsub': read('alert-to-pubsub', schemas['alert-to-pubsub']),
    'swarming-client': read('swarming-client', schemas['swarming-client']),
  };
}

function unknownService(name: string): Problem[] {
  if (serviceNames.some((known) => known === name)) return [];
  const guess = didYouMean(name, serviceNames) || `; known are ${serviceNames.join(', ')}`;
  return [
    {
      path: ['services', name],
      rule: 'unknown key',
      message: `unknown service "${name}"${guess}`,
      at: 'key',
    },
  ];
}
