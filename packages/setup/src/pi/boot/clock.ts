/**
 * Sets the clock before anything requires TLS. Raspberry Pis before the 5 start with a past time after a power cut, at which
 * certificates are not valid yet.
 */

export const clockScript = '/usr/local/sbin/skolo-clock';
export const clockUnit = 'skolo-clock.service';

/**
 * The server's Date is trusted without its certificate, so it only moves the clock forward: an expired certificate stays
 * expired. NTP corrects the rest.
 *
 * `skolo-clock SECONDS [HOST:PORT]`: times before these seconds since 1970 are wrong.
 */
export const clock = `#!/bin/sh
# Written by skolo. Waits until the clock is correct: by NTP, or else by the Date header of the server that this computer joins.
set -u
export LC_ALL=C
least=$1 server=\${2-}
set_forward() { [ "$1" -le "$(date +%s)" ] || date -u -s "@$1" > /dev/null; }
date_of_server() {
  if command -v curl > /dev/null; then curl -ksI --max-time 5 "https://$server/"
  else wget -q -S -O /dev/null --no-check-certificate -T 5 -t 1 "https://$server/" 2>&1
  fi | sed -n 's/^ *[Dd]ate: *//p' | tr -d '\\r' | head -n 1
}
set_forward "$least"
[ -n "$server" ] || exit 0
round=0
while [ "$(timedatectl show --property=NTPSynchronized --value 2> /dev/null)" != yes ]; do
  round=$((round + 1))
  # NTP is more accurate, and takes a few seconds.
  if [ "$round" -gt 10 ]; then
    date=$(date_of_server)
    if [ -n "$date" ] && there=$(date -u -d "$date" +%s 2> /dev/null); then
      set_forward "$there"
      exit 0
    fi
    echo "no response from NTP servers or $server; trying again"
    sleep 4
  fi
  sleep 1
done
`;

/** Runs after the boot is complete, so that users can sign in while it waits: targets wait for units with default dependencies. */
export const waitsAlone = `DefaultDependencies=no
Requires=sysinit.target
After=sysinit.target basic.target
Conflicts=shutdown.target
Before=shutdown.target`;

/** @param least seconds since 1970 when the image was created @param server HOST:PORT */
export function clockUnitText(least: number, server: string): string {
  return `# Written by skolo.
[Unit]
Description=skolo: set the clock before anything requires TLS
${waitsAlone}
Wants=network-online.target
After=network-online.target systemd-timesyncd.service chrony.service
Before=k3s-agent.service
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=${clockScript} ${least} ${server}
TimeoutStartSec=infinity
[Install]
WantedBy=multi-user.target
`;
}
