/** OpenWrt, with leases of dnsmasq: see families/unix/linux-stations.ts. */
import { dnsmasqLeases, linuxStations } from '../families/unix/linux-stations.ts';

export const stations = linuxStations([dnsmasqLeases('/tmp/dhcp.leases')]);
