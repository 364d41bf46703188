/** Reads the section `services`, with the defaults of all settings, and decides about unknown keys. */
import { isObject } from '@skolo/base';
import { check } from '../issues/describe.ts';
import { type Problem, shown } from '../issues/issues.ts';
import { didYouMean } from '../issues/suggest.ts';
import { withoutUnknown } from '../schema/lenient.ts';
import { type ServiceName, serviceNames } from '../schema/service-ports.ts';
import { withPubSubDefault } from '../schema/settings/alert-to-pubsub.ts';
import {
  type ServicesSettings,
  settingsSchemas as schemas,
  servicesSchema,
} from '../schema/settings/settings.ts';

/**
 * Settings of all services. Without `strictFor`, an unknown service is an error. With it, unknown keys of other services
 * are omitted.
 */
export function readServices(
  value: unknown,
  strictFor: ServiceName | undefined,
  problems: Problem[],
): ServicesSettings {
  const written = isObject(value) ? { ...value } : {};
  if (value !== undefined && !isObject(value)) {
    const message =
      value === null ? 'is empty; remove the key' : `expected a map, found ${shown(value)}`;
    problems.push({ path: ['services'], rule: 'type', message });
  }
  if (strictFor === undefined) {
    for (const name of Object.keys(written)) problems.push(...unknownService(name));
  }

  const alerts = written['alert-to-pubsub'];
  if (alerts !== undefined) written['alert-to-pubsub'] = withPubSubDefault(alerts);
  const raw = new Map<string, unknown>(
    serviceNames.map((name) => {
      const isStrict = strictFor === undefined || strictFor === name;
      return [name, isStrict ? written[name] : withoutUnknown(schemas[name], written[name])];
    }),
  );
  const { value: settings, problems: found = [] } = check(servicesSchema, Object.fromEntries(raw), [
    'services',
  ]);
  if (settings !== undefined) return settings;
  problems.push(...found);
  for (const { path } of found) raw.delete(String(path[1]));
  return servicesSchema.parse(Object.fromEntries(raw));
}

function unknownService(name: string): Problem[] {
  if (serviceNames.some((known) => known === name)) return [];
  const guess = didYouMean(name, serviceNames, `known services: ${serviceNames.join(', ')}`);
  return [
    {
      path: ['services', name],
      rule: 'unknown key',
      message: `unknown service "${name}"${guess}`,
      at: 'key',
    },
  ];
}
