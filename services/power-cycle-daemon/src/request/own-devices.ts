/** Decides whether an agent's request to power-cycle its own phone is accepted: at most `devicesPerHour`. */

import type { AcceptedRequests } from '@skolo/api';
import { type Clock, HttpProblem } from '@skolo/common';
import type { Machine, Rack } from '@skolo/rack';
import { phonesOf } from '../rules/targets.ts';
import type { Request } from './requests.ts';

interface OwnDevicesDeps {
  rack: () => Rack;
  clock: Pick<Clock, 'uptime'>;
  accept: (request: Request) => Promise<AcceptedRequests>;
}

const hour = 3600;

export class OwnDevices {
  private readonly deps: OwnDevicesDeps;
  /** When each machine made requests, in seconds since boot. */
  private readonly asked = new Map<string, number[]>();

  constructor(deps: OwnDevicesDeps) {
    this.deps = deps;
  }

  /**
   * @param machine the machine that signed the request
   * @throws HttpProblem 403: not its own device; 429: too often.
   * @throws RequestRejected
   */
  async accept(
    { devices, reason }: { devices: readonly string[]; reason: string },
    machine: string,
  ): Promise<AcceptedRequests> {
    const own = phonesOf(this.deps.rack(), machine);
    const targets = [...new Set(devices.map((name) => ownDevice(machine, own, name)))];
    this.count(machine, targets.length);
    return this.deps.accept({
      targets,
      ask: { action: 'cycle', mode: 'hard', force: false },
      reason,
      by: machine,
      origin: 'agent',
      skipRejected: false,
    });
  }

  private count(name: string, devices: number): void {
    const { devicesPerHour } = this.deps.rack().services['power-cycle-daemon'];
    if (devices > devicesPerHour) {
      const detail = `rack.yaml allows ${name} to cycle at most ${devicesPerHour} of its devices per hour, not ${devices}`;
      throw new HttpProblem(403, detail);
    }
    const now = this.deps.clock.uptime();
    const recent = (this.asked.get(name) ?? []).filter((at) => now - at < hour);
    // The last of those that must be an hour old before the whole request is allowed.
    const last = recent[recent.length + devices - devicesPerHour - 1];
    if (last !== undefined) {
      const wait = Math.ceil(last + hour - now);
      const detail = `${name} has requested ${recent.length} of the ${devicesPerHour} cycles per hour that rack.yaml allows; try again in ${wait} s`;
      throw new HttpProblem(429, detail, { headers: { 'retry-after': String(wait) } });
    }
    this.asked.set(name, [...recent, ...Array<number>(devices).fill(now)]);
  }
}

function ownDevice(name: string, devices: Machine['devices'], asked: string): string {
  const own = devices.find((device) => device.name === asked || device.fullName === asked);
  if (own !== undefined) return own.fullName;
  throw new HttpProblem(
    403,
    `${asked} is not a device of ${name}, which may request cycles only for its own devices`,
  );
}
