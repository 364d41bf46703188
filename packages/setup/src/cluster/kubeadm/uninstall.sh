#!/bin/sh
# PACKAGES FILE…: removes packages and what they and skolo have left. Other containers than the cluster's keep running.
packages=$1
shift
systemctl disable --now kubelet.service 2>/dev/null
# shellcheck disable=SC2086 # Several packages.
there=$(dpkg-query -W -f '${Package} ' $packages 2>/dev/null)
# apt fails for packages that it has never heard of, as after a reset that was cut off.
if [ -n "$there" ]; then
  # shellcheck disable=SC2086
  apt-mark unhold $there > /dev/null 2>&1
  # shellcheck disable=SC2086
  apt_get purge $there || exit 1
fi
rm -rf /etc/kubernetes /var/lib/kubelet /var/lib/etcd /var/lib/cni /opt/cni/bin "$@"
