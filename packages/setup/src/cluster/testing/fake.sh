#!/bin/sh
# Debian's and Kubernetes' programs of a test, by the name that this file is called by. /opt/cluster is shared by all computers.
name=$(basename "$0")
state=/opt/state
mkdir -p "$state"
called() { echo "$HOST $name $*" >> /opt/cluster/calls; }
value() { awk -v key="$1:" '{ for (i = 1; i < NF; i++) if ($i == key) print $(i + 1) }' "$2" | tail -n 1; }

case $name in
cat)
  case "$*" in
  /proc/1/comm) echo systemd ;;
  *) exec /bin/cat "$@" ;;
  esac
  ;;
dpkg)
  case $1 in --print-architecture) /bin/cat /opt/architecture ;; esac
  ;;
dpkg-query)
  format=$3
  shift 3
  for each; do
    [ -e "$state/package-$each" ] || continue
    want=install
    [ ! -e "$state/held-$each" ] || want=hold
    case $format in
    *Want*) echo "$each $(/bin/cat "$state/package-$each") $want installed" ;;
    *Status*) echo "$each installed" ;;
    *) printf '%s ' "$each" ;;
    esac
  done
  ;;
apt-get)
  while [ $# -gt 0 ]; do
    case $1 in install | purge | update) break ;; esac
    shift
  done
  [ "$1" = update ] && exit
  called "$@"
  verb=$1
  shift
  for each; do
    case $each in -*) continue ;; esac
    package=${each%%=*}
    case $each in *=*) version=${each#*=} && version=${version%\*}1.1 ;; *) version=1.0-1 ;; esac
    if [ "$verb" = purge ]; then rm -f "$state/package-$package"; else echo "$version" > "$state/package-$package"; fi
  done
  ;;
apt-mark)
  called "$@"
  verb=$1
  shift
  for each; do
    if [ "$verb" = hold ]; then : > "$state/held-$each"; else rm -f "$state/held-$each"; fi
  done
  ;;
modprobe) called "$@" ;;
sysctl)
  case $1 in
  -n) /bin/cat "$state/sysctl-$2" ;;
  -q) while read -r key _ number; do echo "$number" > "$state/sysctl-$key"; done < "$3" ;;
  esac
  ;;
systemctl)
  verb=$1
  shift
  case $verb in
  is-enabled) if [ -e "$state/masked-$1" ]; then echo masked; else exit 1; fi ;;
  is-active) for each; do case $each in -*) ;; *) [ -e "$state/active-$each" ] || exit 3 ;; esac; done ;;
  mask) for each; do case $each in -*) ;; *) : > "$state/masked-$each" ;; esac; done ;;
  start | restart) for each; do : > "$state/active-$each"; done ;;
  disable) for each; do rm -f "$state/active-$each"; done ;;
  esac
  ;;
kubeadm)
  [ -e "$state/package-kubeadm" ] || exit 127
  case $1 in version) ;; *) called "$@" ;; esac
  case $1 in
  version) echo "v$(sed 's/-.*//' "$state/package-kubeadm")" ;;
  token) echo "abcdef.$(head -c 8 /dev/urandom | od -An -tx1 | tr -d ' \n')" | tee -a /opt/cluster/tokens ;;
  reset) rm -rf /etc/kubernetes/admin.conf /etc/kubernetes/kubelet.conf /etc/kubernetes/manifests /etc/kubernetes/pki ;;
  init | join)
    for each; do case $each in --config) isConfig=yes ;; *) [ -z "$isConfig" ] || config=$each ;; esac; done
    cp "$config" "/opt/cluster/$1-$HOST.yaml"
    [ ! -e /etc/kubernetes/kubelet.conf ] || { echo 'error: [ERROR FileAvailable--etc-kubernetes-kubelet.conf]' && exit 1; }
    mkdir -p /etc/kubernetes/pki
    if [ "$1" = init ]; then
      openssl req -x509 -newkey ed25519 -nodes -keyout /etc/kubernetes/pki/ca.key -out /etc/kubernetes/pki/ca.crt -days 1 -subj /CN=kubernetes 2> /dev/null
      openssl x509 -in /etc/kubernetes/pki/ca.crt -noout -pubkey | openssl pkey -pubin -outform DER | sha256sum | cut -d ' ' -f 1 > /opt/cluster/hash
      cp /etc/kubernetes/pki/ca.crt /opt/cluster/ca.crt
      : > /etc/kubernetes/admin.conf
      [ ! -e /opt/cut ] || { rm /opt/cut && echo 'error: timed out waiting for the condition' && exit 1; }
    else
      grep -qxF "$(value token "$config")" /opt/cluster/tokens || { echo 'error: invalid bearer token' && exit 1; }
      grep -q "sha256:$(/bin/cat /opt/cluster/hash)" "$config" || { echo 'error: public key not found' && exit 1; }
      cp /opt/cluster/ca.crt /etc/kubernetes/pki/ca.crt
    fi
    : > /etc/kubernetes/kubelet.conf
    : > "$state/active-kubelet.service"
    : > "/opt/cluster/node-$HOST"
    ;;
  esac
  ;;
kubectl)
  while :; do
    case $1 in
    --kubeconfig) [ -e "$2" ] || { echo 'error: no such file' >&2 && exit 1; } && shift 2 ;;
    --request-timeout=*) shift ;;
    *) break ;;
    esac
  done
  case "$*" in
  'get --raw /readyz') echo ok ;;
  'get -f - -o name')
    sum=$(sha256sum | cut -c 1-16)
    [ -e "/opt/cluster/applied-$sum" ] || { echo 'Error from server (NotFound): namespaces "x" not found' >&2 && exit 1; }
    ;;
  # Nobody else changes these objects.
  *' -o json -f -') cat > /dev/null && echo '{"items":[]}' ;;
  'apply '*)
    called "$@"
    tee /opt/cluster/applied > /dev/null
    cp /opt/cluster/applied "/opt/cluster/applied-$(sha256sum < /opt/cluster/applied | cut -c 1-16)"
    ;;
  'get node '*)
    [ -e "/opt/cluster/node-$3" ] || { echo "Error from server (NotFound): nodes \"$3\" not found" >&2 && exit 1; }
    ready=True
    [ ! -s "/opt/cluster/node-$3" ] || ready=False
    echo '{"metadata":{"name":"'"$3"'"},"spec":{},"status":{"nodeInfo":{"kubeletVersion":"v1.34.8","architecture":"arm64"},"conditions":[{"type":"Ready","status":"'$ready'"}]}}'
    ;;
  'delete '*) called "$@" && for last; do :; done && rm -f "/opt/cluster/node-$last" ;;
  esac
  ;;
esac
