/** Patches that mount the secrets of services. */
import type { Json } from '../rack.ts';
import type { ServiceSecret } from '../secrets/service-secrets.ts';
import type { JumphostService } from '../service-ports.ts';
import type { DerivedFile } from './derived-file.ts';

/** Patches that give each pod its secrets. */
export function secretPatches(secrets: readonly ServiceSecret[]): DerivedFile[] {
  return secrets
    .filter(({ files, variables }) => files.length + variables.length > 0)
    .map(({ service, files, variables }) => ({
      name: `secrets-${service}.yaml`,
      about: [
        `Content of /etc/skolo in ${service}: rack.yaml, and files of rack.yaml from the Secret ${service}.`,
        'Files that the Secret lacks are missing. Changes arrive within two minutes.',
        ...(variables.length > 0
          ? ['The pod reads variables only at its start: prefer files.']
          : []),
      ].join('\n'),
      objects: [patch(service, files, variables)],
      use: { kind: 'Deployment', name: service },
    }));
}

function patch(
  service: JumphostService,
  files: ServiceSecret['files'],
  variables: ServiceSecret['variables'],
): Json {
  const items = files.map(({ key, path }) => ({ key, path }));
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: service },
    spec: {
      template: {
        spec: {
          ...(variables.length > 0 && {
            containers: [
              {
                name: service,
                env: variables.map(({ name }) => ({
                  name,
                  valueFrom: { secretKeyRef: { name: service, key: name, optional: true } },
                })),
              },
            ],
          }),
          ...(items.length > 0 && {
            volumes: [
              {
                name: 'etc-skolo',
                // Replaces the whole list, so it includes rack.yaml.
                projected: {
                  sources: [
                    {
                      configMap: {
                        name: 'rack',
                        items: [{ key: 'rack.yaml', path: 'rack.yaml' }],
                      },
                    },
                    { secret: { name: service, optional: true, items } },
                  ],
                },
              },
            ],
          }),
        },
      },
    },
  };
}
