/**
 * The Console of Device Management Toolkit, which reaches Intel AMT of many computers, through its Redfish API: each is a system with its
 * GUID. It takes Basic, or sessions; tells no allowable values; answers a reset with 202 and a finished task, and one that changes nothing
 * with 409. With `sessionsOnly`, as behind a proxy that lets no Basic through, it allows one session per user.
 *
 * Sources: redfish/component.go, handler/{systems_actions,sessions,errors}.go and usecase/computer_system.go of
 * device-management-toolkit/console.
 */
import type { HttpDevice, HttpDeviceOptions } from './http-device.ts';
import { type RedfishSessions, startRedfish } from './redfish.ts';

/** Its login is standalone/G@ppm0ym, the default of Console. */
export function startAmtConsole(
  options: HttpDeviceOptions & { guids: readonly string[]; sessionsOnly?: RedfishSessions },
): Promise<HttpDevice> {
  const { guids, ...more } = options;
  const account = { username: 'standalone', password: 'G@ppm0ym' };
  return startRedfish({ ...more, systems: guids, account, allowableIn: 'nowhere', success: 202 });
}
