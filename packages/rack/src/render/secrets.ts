/** Patches that mount the secrets of services. */
import type { Json } from '../rack/rack.ts';
import type { ServiceSecret } from '../secrets/service-secrets.ts';
import { type DerivedFile, podPatch } from './derived-file.ts';

/** Patches that give each pod its secrets. */
export function secretPatches(secrets: readonly ServiceSecret[]): DerivedFile[] {
  return secrets
    .filter(({ files, variables }) => files.length + variables.length > 0)
    .map(({ service, files, variables }) => ({
      name: `secrets-${service}.yaml`,
      about: [
        `Contents of /etc/skolo in ${service}: rack.yaml, and the files that it references, which come from the Secret ${service}.`,
        'Files that the Secret does not contain are missing. Changes take effect within two minutes.',
        ...(variables.length > 0
          ? ['The pod reads variables only at startup, so prefer files.']
          : []),
      ].join('\n'),
      objects: [patch({ service, files, variables })],
      use: { kind: 'Deployment', name: service },
    }));
}

function patch({ service, files, variables }: Omit<ServiceSecret, 'namespace'>): Json {
  const items = files.map(({ key, path }) => ({ key, path }));
  const env = variables.map(({ name }) => ({
    name,
    valueFrom: { secretKeyRef: { name: service, key: name, optional: true } },
  }));
  // Replaces the whole list, so it includes rack.yaml.
  const sources = [
    { configMap: { name: 'rack', items: [{ key: 'rack.yaml', path: 'rack.yaml' }] } },
    { secret: { name: service, optional: true, items } },
  ];
  return podPatch(service, {
    ...(env.length > 0 && { containers: [{ name: service, env }] }),
    ...(items.length > 0 && { volumes: [{ name: 'etc-skolo', projected: { sources } }] }),
  });
}
