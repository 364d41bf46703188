/** A Linux host that routes or bridges, with leases of dnsmasq: see families/unix/linux-connected-hosts.ts. */
import { dnsmasqLeases, linuxConnectedHosts } from '../families/unix/linux-connected-hosts.ts';

export const connectedHosts = linuxConnectedHosts([dnsmasqLeases('/var/lib/misc/dnsmasq.leases')]);
