/**
 * Sets the clock before anything requires TLS. Raspberry Pis before the 5 start with a past time after a power cut, at which
 * certificates are not valid yet.
 */
import { script } from '@skolo/base';

export const clockScript = '/usr/local/sbin/skolo-clock';
export const clockUnit = 'skolo-clock.service';

/**
 * The server's Date is trusted without its certificate, so it only moves the clock forward: an expired certificate stays
 * expired. NTP corrects the rest.
 *
 * `skolo-clock SECONDS [HOST:PORT]`: times before these seconds since 1970 are wrong.
 */
export const clock = script(new URL('./clock.sh', import.meta.url));

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
