/** No secret is in git, and none is on a machine whose tasks are root. */
import { containersOf, type Manifest, titleOf, workloadsOf } from '../manifest.ts';
import { mayRunOnMachines } from './placement.ts';
import { referencesOf } from './references.ts';

/** What a secret looks like, wherever it is. */
const shapes: readonly [what: string, shape: RegExp][] = [
  ['a private key', /-----BEGIN [A-Z ]*PRIVATE KEY-----/],
  ['an age identity', /AGE-SECRET-KEY-1[0-9A-Z]{20}/],
  ['a key of a service account', /"private_key"\s*:\s*"/],
  ['an OAuth token', /\bya29\.[\w-]{20}/],
  ['a token of a client', /"refresh_token"\s*:\s*"/],
  ['a hashed password', /\$(?:2[aby]|apr1|5|6|y)\$[\w./$-]{20}/],
  ['a password in a URL', /:\/\/[^\s/:@]+:[^\s/@]+@/],
];
/** A value where configurations of Prometheus, Alertmanager and Grafana have their secrets; files are fine. */
const secretPlace =
  /(?:^[\s-]*|[{,]\s*)["']?(?:\w*password|credentials|bearer_token|client_secret|secret_key|api_url|\w*token|community)["']?\s*[:=]\s*["']?[^\s"'#{[<$]/im;
const secretVariable = /(?:TOKEN|SECRET|PASSWORD|PASSPHRASE|CREDENTIALS?|_KEY)$/;

/**
 * Secret objects in a build, and what looks like a secret in whatever else is. rack.yaml is left to its own schema, by which
 * it only names where secrets are.
 */
export function secretProblems(objects: readonly Manifest[]): string[] {
  return objects.flatMap((object) => {
    const title = titleOf(object);
    if (object.kind === 'Secret') return [`${title}: a Secret is made by hand, not in git`];
    const isRack = object.kind === 'ConfigMap' && object.metadata.name === 'rack';
    return textsOf(object).flatMap(({ path, text }) => [
      ...shapes
        .filter(([, shape]) => shape.test(text))
        .map(([what]) => `${title}: ${path}: ${what}`),
      ...(object.kind === 'ConfigMap' && !isRack && secretPlace.test(text)
        ? [`${title}: ${path}: a value where a secret is meant to be`]
        : []),
    ]);
  });
}

/** Secrets come as files: an environment is inherited, and printed by many tools. `env` of rack.yaml is read from a Secret. */
export function variableProblems(objects: readonly Manifest[]): string[] {
  return workloadsOf(objects).flatMap((workload) =>
    containersOf(workload).flatMap(({ env }) =>
      env
        .filter(
          ({ name, value }) => value !== undefined && value !== '' && secretVariable.test(name),
        )
        .map(({ name }) => `${workload.title}: ${name} has its value here`),
    ),
  );
}

/** The only Secret of a Pi. */
const onMachines = new Set(['adb-key']);

/** Pods that run on machines: no Secret but the key of adb, no rack.yaml, no token for the API server. */
export function machineSecretProblems(objects: readonly Manifest[]): string[] {
  return workloadsOf(objects)
    .filter(mayRunOnMachines)
    .flatMap((workload) =>
      referencesOf(workload)
        .filter(
          ({ kind, name }) =>
            (kind === 'Secret' && !onMachines.has(name)) ||
            (kind === 'ConfigMap' && name === 'rack'),
        )
        .map(({ kind, name }) => `${workload.title}: the ${kind} ${name} would be on every Pi`),
    );
}

function textsOf(value: unknown, path = ''): { path: string; text: string }[] {
  if (typeof value === 'string') return [{ path, text: value }];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, item]) => textsOf(item, `${path}/${key}`));
}
