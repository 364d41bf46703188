/** Secrets of services on the jumphost: their keys, and patches that mount them. */
import type { Json, Rack } from '../rack.ts';
import { type SecretReference, secretReferences } from '../secret-references.ts';
import { type JumphostService, jumphostServices } from '../service-ports.ts';
import { type DerivedFile, namespaceOf, type RenderWarning } from './derived-file.ts';
import { mountedPath, secretKeys } from './secret-keys.ts';

/** Has the name of the service. */
export interface ServiceSecret {
  service: JumphostService;
  namespace: string;
  files: {
    key: string;
    /** In the folder of rack.yaml. */
    path: string;
    /** Paths in rack.yaml. */
    where: string[];
  }[];
  /** Environment variables; the key has the same name. */
  variables: { name: string; where: string[] }[];
}

/** Secrets of rack.yaml that no pod would see. */
export class RenderError extends Error {
  readonly code = 'RENDER_REFUSED';
  readonly problems: RenderWarning[];

  constructor(problems: RenderWarning[]) {
    super(problems.map(({ where, message }) => `${where}: ${message}`).join('\n'));
    this.name = 'RenderError';
    this.problems = problems;
  }
}

/** @throws RenderError A path is outside of the mounted folder. */
export function serviceSecrets(rack: Rack): ServiceSecret[] {
  const references = jumphostServices.map((service) => ({
    service,
    references: secretReferences(rack, service),
  }));
  const all = references.flatMap((each) => each.references);
  rejectOutside(all);
  const keys = secretKeys(
    all.flatMap(({ ref }) => ('file' in ref ? [mountedPath(ref.file) ?? ''] : [])),
    new Set(all.flatMap(({ ref }) => ('env' in ref ? [ref.env] : []))),
  );
  return references.map(({ service, references }) => {
    const files = grouped(references, ({ ref }) =>
      'file' in ref ? mountedPath(ref.file) : undefined,
    );
    const variables = grouped(references, ({ ref }) => ('env' in ref ? ref.env : undefined));
    return {
      service,
      namespace: namespaceOf(service),
      files: files.map(([path, where]) => ({ key: keys.get(path) ?? '', path, where })),
      variables: variables.map(([name, where]) => ({ name, where })),
    };
  });
}

function rejectOutside(references: readonly SecretReference[]): void {
  const problems = new Map<string, RenderWarning>();
  for (const { where, ref } of references) {
    if (!('file' in ref) || mountedPath(ref.file) !== undefined) continue;
    const message = `${ref.file} is outside of the folder of rack.yaml, the only one that pods see; put the file at secrets/NAME`;
    problems.set(where, { where, message });
  }
  if (problems.size > 0) throw new RenderError([...problems.values()]);
}

/** Paths in rack.yaml by name, sorted. */
function grouped(
  references: readonly SecretReference[],
  nameOf: (reference: SecretReference) => string | undefined,
): [name: string, where: string[]][] {
  const groups = new Map<string, string[]>();
  for (const reference of references) {
    const name = nameOf(reference);
    if (name === undefined) continue;
    groups.set(name, [...(groups.get(name) ?? []), reference.where]);
  }
  return [...groups].sort(([a], [b]) => (a < b ? -1 : 1));
}

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
