/** No account has rights over the whole cluster. */
import { z } from 'zod';
import { type Manifest, readKind, workloadsOf } from '../manifest.ts';
import { type Exception, exceptions, withoutExceptions } from './exceptions.ts';

const Binding = z.looseObject({ roleRef: z.looseObject({ name: z.string() }) });
const Rules = z.looseObject({
  rules: z
    .array(
      z.looseObject({
        apiGroups: z.array(z.string()).default([]),
        resources: z.array(z.string()).default([]),
        resourceNames: z.array(z.string()).default([]),
        verbs: z.array(z.string()).default([]),
      }),
    )
    .default([]),
});
type Rule = z.infer<typeof Rules>['rules'][number];
const tooMighty = new Set(['cluster-admin', 'admin', 'edit', 'system:masters']);
/** What `skolo push` uses. Its tokens are made on the jumphost, by those who may be root there. */
const administrators = 'ClusterRoleBinding skolo-admin: gives the role cluster-admin';

/** It reads none. Its admission policy says which it may create and delete, and src/enrolment/cluster.test.ts of test/e2e tries it. */
const enrolment = {
  title: 'Role kube-system/skolo-enrolment',
  verbs: new Set(['create', 'delete']),
};

/** What `skolo status` asks: GET changes nothing there, and it knows no Secret. Only in its namespace. */
const readable = {
  title: 'Role skolo/skolo-view',
  resource: 'services/proxy',
  name: 'prometheus:9090',
  verb: 'get',
};

/** With these, an account takes over another one, reads its Secrets, or is root on a node. */
const takeover = {
  resources: new Set([
    'nodes/proxy',
    'pods/attach',
    'pods/ephemeralcontainers',
    'pods/exec',
    'pods/portforward',
    'pods/proxy',
    'serviceaccounts/token',
    'services/proxy',
  ]),
  verbs: new Set(['bind', 'escalate', 'impersonate']),
  /** That may be written by nobody: a template of pods, a label of a node, a role. */
  written: new Set([
    'clusterrolebindings',
    'clusterroles',
    'cronjobs',
    'daemonsets',
    'deployments',
    'jobs',
    'nodes',
    'pods',
    'replicasets',
    'rolebindings',
    'roles',
    'statefulsets',
  ]),
  writing: new Set(['create', 'patch', 'update']),
};

/** Built-in roles with many rights, wildcards, and roles that may read Secrets or take over a node. */
export function rbacProblems(objects: readonly Manifest[]): string[] {
  const bindings = ['ClusterRoleBinding', 'RoleBinding'].flatMap((kind) =>
    readKind(objects, kind, Binding)
      .filter(({ read }) => tooMighty.has(read.roleRef.name))
      .map(({ title, read }) => `${title}: gives the role ${read.roleRef.name}`),
  );
  const rules = ['ClusterRole', 'Role'].flatMap((kind) =>
    readKind(objects, kind, Rules).flatMap(({ title, read }) =>
      read.rules
        .filter((rule) => title !== readable.title || !isReadable(rule))
        .flatMap(({ apiGroups, resources, verbs }) => [
          ...([...apiGroups, ...resources, ...verbs].includes('*')
            ? [`${title}: a rule with *`]
            : []),
          ...(resources.includes('secrets') && !isOfEnrolment(title, verbs)
            ? [`${title}: a rule for Secrets`]
            : []),
          ...takeovers(resources, verbs).map((what) => `${title}: a rule for ${what}`),
        ]),
    ),
  );
  return [...bindings, ...rules].filter((problem) => problem !== administrators);
}

function isOfEnrolment(title: string, verbs: readonly string[]): boolean {
  return title === enrolment.title && verbs.every((verb) => enrolment.verbs.has(verb));
}

function isReadable({ resources, resourceNames, verbs }: Rule): boolean {
  const { resource, name, verb } = readable;
  const isOnly = (all: readonly string[], one: string) => all.length === 1 && all[0] === one;
  return isOnly(resources, resource) && isOnly(resourceNames, name) && isOnly(verbs, verb);
}

function takeovers(resources: readonly string[], verbs: readonly string[]): string[] {
  const writes = verbs.some((verb) => takeover.writing.has(verb));
  return [
    ...resources.filter((each) => takeover.resources.has(each)),
    ...verbs.filter((each) => takeover.verbs.has(each)),
    ...resources.filter((each) => writes && takeover.written.has(each)),
  ];
}

/** An account of its own for each, and no token of it, but for what exceptions.ts names. */
export function accountProblems(
  objects: readonly Manifest[],
  allowed: readonly Exception[] = exceptions,
): string[] {
  const projected = workloadsOf(objects).flatMap(({ title, name, pod }) =>
    pod.volumes.some((volume) =>
      volume.projected?.sources.some(({ serviceAccountToken }) => serviceAccountToken),
    )
      ? [{ title, name, what: 'has a token of the API server' }]
      : [],
  );
  const others = workloadsOf(objects).flatMap(({ title, name, pod }) => [
    // The canary is another version of the same.
    ...(pod.serviceAccountName === name.replace(/-canary$/, '')
      ? []
      : [`${title}: its service account is ${pod.serviceAccountName ?? 'default'}`]),
    ...(pod.automountServiceAccountToken === false
      ? []
      : [`${title}: has a token of the API server`]),
    ...(pod.enableServiceLinks === false ? [] : [`${title}: has the Services in its environment`]),
  ]);
  return [...others, ...withoutExceptions(projected, allowed)];
}
