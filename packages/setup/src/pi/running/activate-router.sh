#!/bin/sh
# RULES DNS RULES_UNIT DNS_UNIT: makes the programs of a router read their files, or stops them after a rollback removed the files.
rules=$1 dns=$2
set -e
systemctl daemon-reload
if [ -e "$rules" ]; then
  nft --check --file "$rules"
  dnsmasq --test --conf-file="$dns"
  echo 1 > /proc/sys/net/ipv4/ip_forward
  systemctl enable --quiet "$3" "$4"
  systemctl restart "$3" "$4"
else
  systemctl stop "$4" 2>/dev/null || true
  nft delete table inet skolo_router 2>/dev/null || true
fi
