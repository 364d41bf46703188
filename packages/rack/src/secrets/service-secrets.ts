/** Secrets of services on the jumphost: files and variables, with their keys. */

import { NamedError } from '@skolo/base';
import type { Remark } from '../issues/issues.ts';
import type { Rack } from '../rack/rack.ts';
import { type JumphostService, jumphostServices, namespaceOf } from '../schema/service-ports.ts';
import { mountedPath, secretKeys } from './keys.ts';
import { type SecretReference, secretReferences } from './references.ts';

/** Has the service name. */
export interface ServiceSecret {
  service: JumphostService;
  namespace: string;
  files: {
    key: string;
    /** In the directory of rack.yaml. */
    path: string;
    /** Paths in rack.yaml. */
    where: string[];
  }[];
  /** Environment variables; the key has the same name. */
  variables: { name: string; where: string[] }[];
}

/** Secrets in rack.yaml that pods would not mount. */
export class UnmountedSecretsError extends NamedError {
  readonly problems: Remark[];

  constructor(problems: Remark[]) {
    super(problems.map(({ where, message }) => `${where}: ${message}`).join('\n'));
    this.problems = problems;
  }
}

/** @throws UnmountedSecretsError A path is outside the mounted directory. */
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
  const problems = new Map<string, Remark>();
  for (const { where, ref } of references) {
    if (!('file' in ref) || mountedPath(ref.file) !== undefined) continue;
    const message = `${ref.file} is outside the directory of rack.yaml, which is the only directory that pods can access; put the file at secrets/NAME`;
    problems.set(where, { where, message });
  }
  if (problems.size > 0) throw new UnmountedSecretsError([...problems.values()]);
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
