#!/bin/sh
# USER GROUPS (LEAST KEY)…: creates the user, with those groups that exist, and adds each key whose LEAST, its type and value, is missing.
user=$1 groups=$2
shift 2
set -e
if ! getent passwd "$user" > /dev/null; then
  some=
  for each in $groups; do ! getent group "$each" > /dev/null || some="$some,$each"; done
  useradd --create-home --shell /bin/bash --groups "${some#,}" "$user"
fi
home=$(getent passwd "$user" | cut -d : -f 6); file=$home/.ssh/authorized_keys
group=$(id -g "$user")
install -d -m 700 -o "$user" -g "$group" "$home/.ssh"
[ ! -e "$file" ] || cat "$file" > "$file.skolo-new"
# The last line may lack a newline.
[ ! -s "$file.skolo-new" ] || [ -z "$(tail -c 1 "$file.skolo-new")" ] || echo >> "$file.skolo-new"
while [ $# != 0 ]; do
  has "$file.skolo-new" "$1" || printf '%s\n' "$2" >> "$file.skolo-new"
  shift 2
done
chmod 600 "$file.skolo-new"
chown "$user:$group" "$file.skolo-new"
sync "$file.skolo-new"
mv -f "$file.skolo-new" "$file"
