#!/bin/sh
# UNFINISHED MADE CONFIGURATION WORD…: runs kubeadm with these words and the configuration, unless it has made the file MADE. The file UNFINISHED
# exists while it is running. The function in front of it is `reset_kubeadm`.
unfinished=$1 made=$2 configuration=$3
shift 3
umask 022
exec 9> /run/skolo-kubeadm.lock
flock -w 1500 9 || { echo 'another kubeadm is still running; try again later' >&2; exit 1; }
trap 'rm -f "$configuration"' EXIT
(umask 077 && : > /run/skolo-kubeadm.log)
[ -e "$unfinished" ] || [ ! -e "$made" ] || exit 0
if [ -e "$unfinished" ]; then
  reset_kubeadm || exit 1
fi
mkdir -p /etc/kubernetes && : > "$unfinished" && sync "$unfinished" /etc/kubernetes || exit 1
kubeadm "$@" --config "$configuration" > /run/skolo-kubeadm.log 2>&1 < /dev/null || {
  grep -iE 'error|timed out|not ' /run/skolo-kubeadm.log | tail -n 3 >&2
  echo "kubeadm $1 failed; see /run/skolo-kubeadm.log on this computer" >&2; exit 1; }
# Synced to disk, because a marker that reappears after a power cut would reset a cluster that is in use.
rm -f "$unfinished" && sync /etc/kubernetes
