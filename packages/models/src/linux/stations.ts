/** A Linux host that routes or bridges, with leases of dnsmasq: see families/unix/linux-stations.ts. */
import { dnsmasqLeases, linuxStations } from '../families/unix/linux-stations.ts';

export const stations = linuxStations([dnsmasqLeases('/var/lib/misc/dnsmasq.leases')]);
