/** VyOS: see families/linux-stations.ts. Leases: proven against own simulator only. */
import { linuxStations, vyattaLeases } from '../families/linux-stations.ts';

export const stations = linuxStations([vyattaLeases('show dhcp server leases', 'Hostname')]);
