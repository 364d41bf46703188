/** Files of k3s on a jumphost that others have added or that expire. */
import { kubectl } from '@skolo/k3s';

const state = '/var/lib/rancher/k3s';

/** Of k3s v1.32 to v1.36. Source: manifests in k3s' repository; it writes them again at each start. */
const manifests = [
  ...['ccm', 'coredns', 'gateway-api-crd', 'local-storage', 'rolebindings', 'runtimes', 'traefik'],
  ...[
    ...['aggregated-metrics-reader', 'auth-delegator', 'auth-reader', 'metrics-apiservice'],
    ...['metrics-server-deployment', 'metrics-server-service', 'resource-reader'],
  ].map((name) => `metrics-server/${name}`),
].map((name) => `${name}.yaml`);

/** It may contain passwords, so no line of it is printed. */
const registriesScript = `file=/etc/rancher/k3s/registries.yaml
settings() { sed 's/#.*//' $file 2>/dev/null; }
settings | grep -nE 'http://|insecure_skip_verify: *true' | grep -vE 'http://(127\\.|localhost)' | cut -d : -f 1 | while read -r line; do
  echo "$file, line $line: any computer in the network can pass itself off as this registry; use https, and verify its certificate"
done
settings | grep -oE 'https?://(\\[[0-9a-fA-F:]+\\]|[0-9A-Za-z.-]+)(:[0-9]+)?' | sort -u | while read -r url; do
  at=\${url#*://}
  case $at in *:[0-9]*) ;; *) case $url in http:*) at=$at:80 ;; *) at=$at:443 ;; esac ;; esac
  timeout 5 openssl s_client -connect "$at" < /dev/null 2>&1 | grep -q CONNECTED || echo "$file: $url does not respond, and k3s requests images from it first; repair it, or remove it from the file"
done`;

/** A CA is replaced on all machines, which takes time. Values of Secrets stay in the shell, which passes them to programs by pipes. */
const script = `soon() { openssl x509 -noout -checkend $(($1 * 86400)) > /dev/null 2>&1 && return 1; true; }
${kubectl} get secrets -A --field-selector type!=helm.sh/release.v1 -o go-template='{{range .items}}{{$at := printf "%s/%s" .metadata.namespace .metadata.name}}{{range $key, $value := .data}}{{$at}} {{$key}} {{$value}}{{"\\n"}}{{end}}{{end}}' 2>/dev/null | while read -r at key value; do
  case $at in skolo/* | skolo-node/* | kube-system/k3s-serving) ;; *) continue ;; esac
  certificate=$(printf %s "$value" | base64 -d 2>/dev/null | openssl x509 2>/dev/null) || continue
  ! echo "$certificate" | soon 30 || echo "the certificate $key in Secret $at expires within 30 days; renew it, and run skolo secrets apply"
done
cd ${state}/server 2>/dev/null || exit 0
leaves= authorities=
for each in tls/*.crt tls/*/*.crt ../agent/*.crt; do
  [ -e "$each" ] || continue
  case $each in
    *-ca.crt) ! soon 90 < "$each" || authorities="$authorities $each" ;;
    *) ! soon 30 < "$each" || leaves="$leaves $each" ;;
  esac
done
[ -z "$leaves" ] || echo "certificates of k3s expire within 30 days, or cannot be read:$leaves (in $PWD); run systemctl restart k3s, which renews them"
[ -z "$authorities" ] || echo "certificate authorities of k3s expire within 90 days, or cannot be read:$authorities (in $PWD); see k3s certificate rotate-ca --help"
started=$(date -d "$(systemctl show --value --property=ExecMainStartTimestamp k3s.service)" +%s 2>/dev/null || echo 0)
find manifests -type f -printf '%P %u %TY-%Tm-%Td %T@\\n' 2>/dev/null | LC_ALL=C sort | while read -r each user day time; do
  case $each in
    ${manifests.join(' | ')}) [ "$started" = 0 ] || [ "\${time%%.*}" -lt $((started + 600)) ] || echo "$PWD/manifests/$each was changed by $user on $day; run systemctl restart k3s, which restores it" ;;
    *) echo "$PWD/manifests/$each ($user, $day) is neither from k3s nor from skolo, and k3s follows it; delete the file, and objects that it created" ;;
  esac
done`;

/** A script that prints a line for each fault. */
export const k3sFilesInEffect = `${registriesScript}
${script}`;
