/** OpenWrt, with leases of dnsmasq: see families/linux-stations.ts. */
import { dnsmasqLeases, linuxStations } from '../families/linux-stations.ts';

export const stations = linuxStations([dnsmasqLeases('/tmp/dhcp.leases')]);
