#!/bin/sh
# Prints which certificates expire soon: CAs are reported earlier, because each machine must receive the new one. Values of Secrets stay in
# the shell, which passes them to programs by pipes.
soon() { openssl x509 -noout -checkend $(($1 * 86400)) > /dev/null 2>&1 && return 1; true; }
k3s kubectl get secrets -A --field-selector type!=helm.sh/release.v1 -o go-template='{{range .items}}{{$at := printf "%s/%s" .metadata.namespace .metadata.name}}{{range $key, $value := .data}}{{$at}} {{$key}} {{$value}}{{"\n"}}{{end}}{{end}}' 2>/dev/null | while read -r at key value; do
  case $at in skolo/* | skolo-node/* | kube-system/k3s-serving) ;; *) continue ;; esac
  certificate=$(printf %s "$value" | base64 -d 2>/dev/null | openssl x509 2>/dev/null) || continue
  ! echo "$certificate" | soon 30 || echo "the certificate $key in Secret $at expires within 30 days; renew it, and run skolo secrets apply"
done
cd /var/lib/rancher/k3s/server 2>/dev/null || exit 0
for each in tls/*.crt tls/*/*.crt ../agent/*.crt; do
  days=30 renew='run systemctl restart k3s, which renews it'
  case $each in *-ca.crt) days=90 renew='see k3s certificate rotate-ca --help' ;; esac
  [ ! -e "$each" ] || ! soon $days < "$each" || echo "the k3s certificate $PWD/$each expires within $days days, or cannot be read; $renew"
done
