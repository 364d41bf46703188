#!/bin/sh
# USER KEY…: creates the user. The image does not contain sudo, and anybody can be root at the console.
id "$1" > /dev/null 2>&1 || useradd --create-home --shell /bin/bash "$1"
usermod --password '*' root
if command -v sudo > /dev/null; then
  allow_sudo "$1"
else
  shift
  install -d -m 700 /root/.ssh
  printf '%s\n' "$@" > /root/.ssh/authorized_keys
  chmod 600 /root/.ssh/authorized_keys
  mkdir -p /etc/ssh/sshd_config.d
  echo 'PermitRootLogin prohibit-password' > /etc/ssh/sshd_config.d/09-skolo-root.conf
fi
