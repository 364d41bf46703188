/**
 * Finds permissions that others have granted to anybody who can reach the API server, such as a task on a machine, or to skolo's accounts.
 */
import { fewOf } from '@skolo/setup/engine';
import { z } from 'zod';
import {
  type ClusterObject,
  isForeign,
  listOf,
  ownNamespaces,
  remove,
  titleOf,
} from './objects.ts';

const texts = listOf(z.string());
const Role = z.object({
  rules: listOf(
    z.object({ verbs: texts, apiGroups: texts, resources: texts, nonResourceURLs: texts }),
  ),
});
const Binding = z.object({
  roleRef: z.object({ kind: z.string(), name: z.string() }),
  subjects: listOf(
    z.object({ kind: z.string(), name: z.string(), namespace: z.string().default('') }),
  ),
});

/**
 * Everybody's permissions in a new cluster. They are compared instead of the roles' names, because others may have changed a role.
 * Source: kubernetes, plugin/pkg/auth/authorizer/rbac/bootstrappolicy/policy.go.
 */
const usual =
  /^(get \/(healthz|livez|readyz|version\/?|(api|apis|openapi)(\/\*)?|\.well-known\/openid-configuration\/?|openid\/v1\/jwks\/?)|create selfsubject(reviews\.authentication|(access|rules)reviews\.authorization)\.k8s\.io|(get|list|watch) clustertrustbundles\.certificates\.k8s\.io)$/;

/** Root on a machine can use its kubelet's certificate. */
const anybody = new RegExp(
  `^system:(anonymous|unauthenticated|authenticated|node:.+|nodes|serviceaccounts(:(${ownNamespaces.join('|')}))?)$`,
);

/** A text for each binding. @param objects all roles and bindings */
export function foreignAccess(objects: readonly ClusterObject[]): string[] {
  const keyOf = (...parts: string[]) => parts.join(' ');
  const roles = new Map(
    objects.map((each) => [keyOf(each.kind, each.metadata.namespace, each.metadata.name), each]),
  );
  return objects.flatMap((object) => {
    if (!object.kind.endsWith('RoleBinding')) return [];
    const { roleRef, subjects } = Binding.parse(object);
    const { namespace, labels } = object.metadata;
    const who = subjects.flatMap((each) =>
      anybody.test(each.name) || (isForeign(object) && ownNamespaces.includes(each.namespace))
        ? [each.name]
        : [],
    );
    const place = roleRef.kind === 'Role' ? namespace : '';
    const role = roles.get(keyOf(roleRef.kind, place, roleRef.name));
    const granted = permissionsOf(role).filter((each) => !usual.test(each));
    if (who.length === 0 || role === undefined || granted.length === 0) return [];
    const what = granted.includes('* *.*') ? 'do everything' : fewOf(granted);
    const isDefault = 'kubernetes.io/bootstrapping' in labels;
    const how = isDefault
      ? `${remove(role)} and systemctl restart k3s, which creates the default role again`
      : remove(object);
    return [`${titleOf(isDefault ? role : object)} allows ${fewOf(who)} to ${what}; run ${how}`];
  });
}

function permissionsOf(role: ClusterObject | undefined): string[] {
  const { rules } = Role.parse(role ?? {});
  return rules.flatMap(({ verbs, apiGroups, resources, nonResourceURLs }) => {
    const named = resources.flatMap((resource) =>
      apiGroups.map((group) => (group === '' ? resource : `${resource}.${group}`)),
    );
    return verbs.flatMap((verb) => [...named, ...nonResourceURLs].map((each) => `${verb} ${each}`));
  });
}
