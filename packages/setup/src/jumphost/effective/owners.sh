#!/bin/sh
# Prints which paths (its input) belong to packages according to dpkg, ucf and deb-systemd-helper, and the checksums of files. The folder of a
# program may have another name in /usr, because Debian has merged them.
exec 2>/dev/null
export LC_ALL=C
d=$(mktemp -d) && trap 'rm -r "$d"' EXIT
: > "$d/files"
enabled() { [ -e "/var/lib/systemd/deb-systemd-helper-enabled/${1#/etc/systemd/system/}" ]; }
while IFS= read -r each; do
  if [ -L "$each" ]; then
    echo "$each" >> "$d/links"
    case $(readlink "$each") in
      /lib/systemd/system/* | /usr/lib/systemd/system/*) ! enabled "$each" || [ ! -e "$each" ] || printf 'own\t%s\n' "$each" ;;
    esac
  elif [ -f "$each" ]; then
    echo "$each" >> "$d/files"
    case $each in
      /etc/cron* | /var/spool/cron/*) ! grep -vE '^[[:space:]]*#' "$each" | grep -qE 'reboot|shutdown|poweroff|halt|kexec|systemctl|iptables|nft|skolo|k3s' || printf 'decides\t%s\n' "$each" ;;
      /usr/local/*bin/*) { [ ! -e "/usr/bin/${each##*/}" ] && [ ! -e "/usr/sbin/${each##*/}" ]; } || printf 'decides\t%s\n' "$each" ;;
    esac
  elif [ ! -e "$each" ]; then
    echo "$each" >> "$d/gone"
    ! enabled "$each" || printf 'listed\t%s\n' "$each"
  fi
done
xargs -rd '\n' sha256sum -z < "$d/files" | tr '\0' '\n' | sed 's/^\([0-9a-f]*\)  /sum\t\1\t/'
xargs -rd '\n' md5sum -z < "$d/files" | tr '\0' '\n' > "$d/sums"
{ cat /var/lib/dpkg/info/*.md5sums; sed -n 's/^ \(\/[^ ]*\) \([0-9a-f]\{32\}\).*/\2  \1/p' /var/lib/dpkg/status; cat /var/lib/ucf/hashfile; } > "$d/known"
key='function key(path) { sub("^/*", "", path); sub("^usr/", "", path); return path }'
awk "$key"'{ path = key(substr($0, 35)) } FNR == NR { sum[path] = $1; name[path] = substr($0, 35); next } sum[path] == $1 { print "own\t" name[path] }' "$d/sums" "$d/known"
cat /var/lib/dpkg/info/*.list > "$d/listed"
for each in links gone; do
  [ -s "$d/$each" ] || continue
  awk -v word="$each" "$key"'FILENAME ~ "/known$" { isFile[key(substr($0, 35))] = 1; next } FILENAME ~ "/listed$" { path = key($0); if (path in name && !(word == "links" && path in isFile)) print (word == "links" ? "own" : "listed") "\t" name[path]; next } { name[key($0)] = $0 }' "$d/$each" "$d/known" "$d/listed"
done
true
