/**
 * Ubiquiti EdgeRouter: see families/unix/linux-stations.ts. A port of its switch chip, `switch0`, is not told by the kernel.
 *
 * Leases: proven against own simulator only, in the form of recorded sessions.
 */
import { linuxStations, vyattaLeases } from '../families/unix/linux-stations.ts';

export const stations = linuxStations([vyattaLeases('show dhcp leases', 'Client Name')]);
