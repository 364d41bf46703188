/** VyOS: see families/unix/linux-stations.ts. Leases: proven against own simulator only. */
import { linuxStations, vyattaLeases } from '../families/unix/linux-stations.ts';

export const stations = linuxStations([vyattaLeases('show dhcp server leases', 'Hostname')]);
