/** The secrets of each service of the jumphost: which Secret has them under which keys, and how a pod gets them. */
import type { Json, Rack } from '../rack.ts';
import { type SecretReference, secretReferences } from '../secret-references.ts';
import { type JumphostService, jumphostServices } from '../service-ports.ts';
import { type DerivedFile, namespaceOf, type RenderWarning } from './derived-file.ts';
import { mountedPath, secretKeys } from './secret-keys.ts';

/** The Secret of a service: it has the name of the service. */
export interface ServiceSecret {
  service: JumphostService;
  namespace: string;
  files: {
    key: string;
    /** Below the folder of rack.yaml. */
    path: string;
    /** Where rack.yaml says so. */
    where: string[];
  }[];
  /** Environment variables; the key has the same name. */
  variables: { name: string; where: string[] }[];
}

/** A rack whose secrets no pod could see. */
export class RenderError extends Error {
  readonly code = 'RENDER_REFUSED';
  readonly problems: RenderWarning[];

  constructor(problems: RenderWarning[]) {
    super(problems.map(({ where, message }) => `${where}: ${message}`).join('\n'));
    this.name = 'RenderError';
    this.problems = problems;
  }
}

/** @throws RenderError A path leads out of the folder that is mounted. */
export function serviceSecrets(rack: Rack): ServiceSecret[] {
  const references = jumphostServices.map((service) => ({
    service,
    references: secretReferences(rack, service),
  }));
  const all = references.flatMap((each) => each.references);
  refuseOutside(all);
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

function refuseOutside(references: readonly SecretReference[]): void {
  const problems = new Map<string, RenderWarning>();
  for (const { where, ref } of references) {
    if (!('file' in ref) || mountedPath(ref.file) !== undefined) continue;
    const message = `${ref.file} is not in the folder of rack.yaml, and pods see nothing else of the jumphost; write secrets/NAME, and put the file there`;
    problems.set(where, { where, message });
  }
  if (problems.size > 0) throw new RenderError([...problems.values()]);
}

/** The places of rack.yaml by what they name, sorted by it. */
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

/** How the pod of each service gets its secrets. */
export function secretPatches(secrets: readonly ServiceSecret[]): DerivedFile[] {
  return secrets
    .filter(({ files, variables }) => files.length + variables.length > 0)
    .map(({ service, files, variables }) => ({
      name: `secrets-${service}.yaml`,
      about: [
        `What ${service} sees in /etc/skolo: rack.yaml, and the files that rack.yaml names, from the Secret ${service}.`,
        'A file that the Secret does not have is not there; one that changes is seen within a minute or two.',
        ...(variables.length > 0
          ? ['A variable is read when the pod starts, and never again: files are better.']
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
                // The list is replaced as a whole: rack.yaml is in it again.
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
