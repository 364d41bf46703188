#!/bin/sh
# Written by skolo. After a power cut, removes unpacked layers and images that are damaged, and the state of pod networks. kubelet restores them.
set -u
export LC_ALL=C
: "${containerd_store:?}" "${containerd_state:?}" "${containerd_programs:?}"
root=${SKOLO_ROOT-}
store=$root$containerd_store
snapshots=$store/io.containerd.snapshotter.v1.overlayfs
blobs=$store/io.containerd.content.v1.content/blobs/sha256
state=$root/var/lib/skolo/image-store
# It goes with the store.
verified=$store/skolo-verified
run=$root/run/skolo-image-store
PATH=$root$containerd_programs:$PATH

mkdir -p "$state"
case $1 in
  clean)
    [ ! -d "$store" ] || sync -f "$store"
    [ -e "$state/requested" ] || touch "$state/clean"
    sync -f "$state"
    exit ;;
  repair)
    rm -rf "$state/repaired" "$state/clean"
    touch "$state/requested" && sync -f "$state" && echo 'restart this computer to check and repair its images'
    exit ;;
esac

# Once for each start of the computer, and never beside containers: containerd may start again while they run.
mkdir "$run" 2> /dev/null || exit 0
[ -z "$(ls "$root$containerd_state/io.containerd.runtime.v2.task/k8s.io" 2> /dev/null)" ] || exit 0
if [ -e "$state/clean" ]; then
  rm -f "$state/clean" && sync -f "$state"
  exit 0
fi
# Of pods that ran until the power cut. An empty file would keep its pod from starting again, or an address from being free again.
rm -rf "$root/var/lib/cni/results" "$root/var/lib/cni/networks"
[ -d "$snapshots" ] || exit 0

cat > "$run/config.toml" << EOF
version = 2
root = "$store"
state = "$run/state"
disabled_plugins = ["io.containerd.grpc.v1.cri", "io.containerd.cri.v1.images", "io.containerd.cri.v1.runtime", "io.containerd.internal.v1.opt", "io.containerd.internal.v1.restart", "io.containerd.nri.v1.nri"]
[grpc]
address = "$run/containerd.sock"
[ttrpc]
address = "$run/containerd.sock.ttrpc"
# Not while a layer is compared: what garbage collection removes stays listed as a child of its layer (containerd#11908).
[plugins."io.containerd.gc.v1.scheduler"]
startup_delay = "1h"
mutation_threshold = 0
EOF
containerd --config "$run/config.toml" --log-level error &
server=$!
trap 'kill "$server" 2> /dev/null; wait "$server"; rm -rf "$run/state" "$run"/containerd.sock*' EXIT
ask() { ctr -a "$run/containerd.sock" -n k8s.io "$@"; }
left=120
until ask namespaces ls > /dev/null 2>&1; do
  left=$((left - 1))
  if [ "$left" = 0 ] || ! kill -0 "$server" 2> /dev/null; then
    echo 'image store damaged: containerd does not start on it' >&2
    exit 1
  fi
  sleep 0.5
done

# is_whole DIGEST: the blob has its content.
is_whole() { [ "$(sha256sum 2> /dev/null < "$blobs/$1")" = "$1  -" ]; }

# digests KEY FILE: those behind the key, in their order.
digests() { tr -d ' \n\t' < "$2" | sed "s/.*\"$1\":\[\([^]]*\)\].*/\1/" | grep -o 'sha256:[0-9a-f]\{64\}' | cut -d : -f 2; }

# layer_is_whole CHAIN BLOB: the unpacked files, if there are any, are those of the blob. A layer that was compared once is on the disk for good.
layer_is_whole() {
  # It is not unpacked, or its files have no folder.
  if ! mounts=$(ask snapshots --snapshotter overlayfs view -t / skolo-image-store "sha256:$1" 2> /dev/null); then
    is_whole "$2" || return 1
    ask snapshots --snapshotter overlayfs info "sha256:$1" > /dev/null 2>&1 || return 0
    layer=sha256:$1
    return 1
  fi
  ask snapshots --snapshotter overlayfs rm skolo-image-store
  unpacked=$(printf '%s\n' "$mounts" | grep -o "$snapshots/snapshots/[0-9]*/fs" | head -n 1)
  ! grep -qxF "$1 $unpacked" "$verified" 2> /dev/null || return 0
  is_whole "$2" || return 1
  # It also reports times of folders. Files that a layer removes are in no folder.
  if tar --compare --file "$blobs/$2" --directory "$unpacked" --exclude '.wh.*' 2>&1 |
    grep -q -e ': Size differs$' -e ': Contents differ$' -e ': Warning: Cannot stat: No such file'; then
    layer=sha256:$1
    return 1
  fi
  echo "$1 $unpacked" >> "$verified"
}

# remove_layer KEY: with all that is based on it. The key of a layer that is being unpacked has two words.
remove_layer() {
  ask snapshots --snapshotter overlayfs ls | sed -n "s/\([^ ]\)  *$1  *[A-Z][a-z]* *$/\1/p" |
    while read -r child; do remove_layer "$child" < /dev/null; done
  # The files of a container have its name.
  ask containers rm "$1" 2> /dev/null || ask snapshots --snapshotter overlayfs rm "$1"
}

# image_is_whole DIGEST: of an index, or of an image for one platform.
image_is_whole() {
  is_whole "$1" || return 1
  if grep -q '"manifests"' "$blobs/$1"; then
    for part in $(digests manifests "$blobs/$1"); do
      [ ! -e "$blobs/$part" ] || image_of_platform_is_whole "$part" || return 1
    done
    return 0
  fi
  image_of_platform_is_whole "$1"
}
image_of_platform_is_whole() {
  is_whole "$1" || return 1
  config=$(tr -d ' \n\t' < "$blobs/$1" | sed 's/.*"config":{\([^}]*\)}.*/\1/' | grep -o '[0-9a-f]\{64\}' | head -n 1)
  is_whole "$config" || return 1
  chain=
  # shellcheck disable=SC2046 # Several digests.
  set -- $(digests layers "$blobs/$1")
  for diff in $(digests diff_ids "$blobs/$config"); do
    [ "$#" -gt 0 ] || return 0
    chain=${chain:+$(printf 'sha256:%s sha256:%s' "$chain" "$diff" | sha256sum | cut -d ' ' -f 1)}
    chain=${chain:-$diff}
    if ! layer_is_whole "$chain" "$1"; then
      # All from here on are unpacked again.
      for blob in "$@"; do is_whole "$blob" || layer=; done
      return 1
    fi
    shift
  done
}

# containerd 1.6 lists blobs whose names are not on the disk, and a pull fails that finds one.
for each in $(ask content ls -q); do
  [ -e "$blobs/${each#sha256:}" ] || ask content rm "$each" > /dev/null
done
# Of a check that was interrupted.
ask snapshots --snapshotter overlayfs rm skolo-image-store 2> /dev/null
mkdir -p "$state/repaired"
failed=0
removed=
usable=$(ask images check | awk '$NF == "true" && !known[$3]++ { print $1 }')
now=$(date +%s)
for each in $(ask images ls | awk 'NR > 1 { print $3 }' | sort -u); do
  # The damaged one; none: a blob is damaged.
  layer=
  ! image_is_whole "${each#sha256:}" || continue
  note=$state/repaired/${each#sha256:}
  hour=$(awk "\$1 > $now - 3600 && \$1 <= $now" "$note" 2> /dev/null)
  if [ "$(printf '%s\n' "$hour" | grep -c .)" -ge 3 ]; then
    echo "image store damaged: $each was repaired three times within an hour and is damaged again; run skolo-image-store repair" >&2
    failed=1
    continue
  fi
  # shellcheck disable=SC2086 # A line for each time.
  printf '%s\n' $hour "$now" > "$note" && sync "$note"
  names=$(ask images ls "target.digest==$each" | awk 'NR > 1 { print $1 }')
  # shellcheck disable=SC2086 # One line.
  echo damaged: $names
  if [ -n "$layer" ] && remove_layer "$layer"; then
    removed=yes
    continue
  fi
  for name in $names; do
    for container in $(ask containers ls -q "image==$name"); do ask containers rm "$container"; done
    ask images rm --sync "$name" > /dev/null
  done
done
# Where nothing can be asked, nothing is found.
if ! ask namespaces ls > /dev/null; then
  echo 'image store not checked: containerd ended meanwhile; run skolo-image-store repair' >&2
  exit 1
fi
# containerd 1.6 would not sync what it unpacks for kubelet, and the next power cut would damage it again.
mkdir -p "$run/image"
for name in ${removed:+$usable}; do
  ask images mount "$name" "$run/image" > /dev/null && ask images unmount --rm "$run/image" > /dev/null
done
sync -f "$store"
rm -f "$state/requested"
# Last, because garbage collection follows.
for each in $(ask leases ls -q); do ask leases rm --sync "$each" > /dev/null; done
exit "$failed"
