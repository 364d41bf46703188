/** A Linux host that routes or bridges, with leases of dnsmasq: see families/linux-stations.ts. */
import { dnsmasqLeases, linuxStations } from '../families/linux-stations.ts';

export const stations = linuxStations([dnsmasqLeases('/var/lib/misc/dnsmasq.leases')]);
