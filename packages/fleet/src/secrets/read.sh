#!/bin/sh
# TOKEN PATH…: prints `absent PATH`, `DIGEST PATH`, `other PATH` for a token other than k3s's, or `= PATH VALUE` in base64 for a file of
# variables. TOKEN is the path of k3s's token.
token=$1
shift
for path; do
  case $path in
    # Needed before k3s is installed.
    "$token") folder=/etc ;;
    /etc/skolo/*/*) rest=${path#/etc/skolo/}; folder=/etc/skolo/${rest%%/*} ;;
    *) folder=${path%/*} ;;
  esac
  [ -d "$folder" ] || { echo "absent $path"; continue; }
  [ -f "$path" ] || continue
  if [ "$path" = "$token" ] && is_another "$path"; then echo "other $path"; continue; fi
  case $path in
    */environment) echo "= $path $(base64 -w 0 < "$path")" ;;
    *) digest=$(sha256sum < "$path") || exit 1; echo "${digest%% *} $path" ;;
  esac
done
