/**
 * Facts about a jumphost, which are compared line by line: those of facts.sh, and objects of others in the cluster. Prints `fact`, a tab
 * and a text for each, in which no two blanks follow one another, so that it can be copied from a message.
 */
import { script } from '@skolo/base';
import { kubectl } from '@skolo/setup/k3s';

/** The cluster responds, so that all objects are among the facts. */
export const respondingCluster = 'cluster';

export function isOfCluster(fact: string): boolean {
  return fact === respondingCluster || fact.startsWith('object ');
}

/** By which others act on pods or grant access, as `kubectl api-resources` prints them. */
const kinds =
  'configmaps|resourcequotas|limitranges|networkpolicies|poddisruptionbudgets|horizontalpodautoscalers|priorityclasses|(cluster)?role(binding)?s\\.rbac|apiservices|.*\\.admissionregistration';
/** Programs of skolo and k3s. Kubernetes names the program that writes a field in \`managedFields\`, and when; a status is no setting. */
const managers = 'skolo|k3s|kube-|clusterrole-aggregation-|deploy@|helm';

/** A script, with a line for each program of others that has written an object. */
export const objectsScript = `kinds=$(timeout 20 ${kubectl} api-resources --verbs=list --no-headers -o name | grep -E '^(${kinds})' | paste -sd , -)
if [ -n "$kinds" ] && written=$(timeout 30 ${kubectl} get "$kinds" -A -o go-template='{{range .items}}{{$at := .}}{{range .metadata.managedFields}}{{if not .subresource}}object {{$at.kind}} {{$at.metadata.name}}{{with $at.metadata.namespace}} in {{.}}{{end}}, by {{.manager}} at {{.time}}{{"\\n"}}{{end}}{{end}}{{end}}'); then
  echo ${respondingCluster}
  echo "$written" | awk '/^object / && (!/^object ConfigMap / || / in kube-system, by /)' | grep -vE ', by (${managers})[^ ,]* at [0-9TZ:-]*$'
fi`;

/** A script. */
export const factsScript = `{
${script(new URL('./facts.sh', import.meta.url))}
${objectsScript}
} | sed 's/[[:space:]]\\+/ /g; s/ $//; s/^/fact\\t/'`;
