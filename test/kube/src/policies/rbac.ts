/** No account has rights over the whole cluster. */
import { z } from 'zod';
import { type Manifest, readKind, workloadsOf } from '../manifest.ts';

const Binding = z.looseObject({ roleRef: z.looseObject({ name: z.string() }) });
const Rules = z.looseObject({
  rules: z
    .array(
      z.looseObject({
        apiGroups: z.array(z.string()).default([]),
        resources: z.array(z.string()).default([]),
        verbs: z.array(z.string()).default([]),
      }),
    )
    .default([]),
});
const tooMighty = new Set(['cluster-admin', 'admin', 'edit', 'system:masters']);

/** Built-in roles with many rights, wildcards, and roles that may read Secrets. */
export function rbacProblems(objects: readonly Manifest[]): string[] {
  const bindings = ['ClusterRoleBinding', 'RoleBinding'].flatMap((kind) =>
    readKind(objects, kind, Binding)
      .filter(({ read }) => tooMighty.has(read.roleRef.name))
      .map(({ title, read }) => `${title}: gives the role ${read.roleRef.name}`),
  );
  const rules = ['ClusterRole', 'Role'].flatMap((kind) =>
    readKind(objects, kind, Rules).flatMap(({ title, read }) =>
      read.rules.flatMap(({ apiGroups, resources, verbs }) => [
        ...([...apiGroups, ...resources, ...verbs].includes('*')
          ? [`${title}: a rule with *`]
          : []),
        ...(resources.includes('secrets') ? [`${title}: a rule for Secrets`] : []),
      ]),
    ),
  );
  return [...bindings, ...rules];
}

/** An account of its own for each, and no token of it: no pod here uses the API server. */
export function accountProblems(objects: readonly Manifest[]): string[] {
  return workloadsOf(objects).flatMap(({ title, name, pod }) => [
    // The canary is another version of the same.
    ...(pod.serviceAccountName === name.replace(/-canary$/, '')
      ? []
      : [`${title}: its service account is ${pod.serviceAccountName ?? 'default'}`]),
    ...(pod.automountServiceAccountToken === false
      ? []
      : [`${title}: has a token of the API server`]),
    ...(pod.volumes.some(({ projected }) =>
      projected?.sources.some(({ serviceAccountToken }) => serviceAccountToken),
    )
      ? [`${title}: has a token of the API server`]
      : []),
    ...(pod.enableServiceLinks === false ? [] : [`${title}: has the Services in its environment`]),
  ]);
}
