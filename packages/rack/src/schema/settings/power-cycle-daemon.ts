/**
 * Settings of the power-cycle daemon, with defaults: cooldown, cycles per hour and at once, how long a boot may take, holds, automatic
 * repair. How long power stays off is decided in the daemon, in rules/targets.ts.
 */

import { seconds, whole } from '@skolo/equipment/models';
import { z } from 'zod';
import { seenBack } from '../back-check.ts';
import { hours, object, section, word } from '../fields.ts';
import { cidr, portNumber } from '../network-fields.ts';
import { anyService } from './any-service.ts';

const pdudaemon = object({
  port: portNumber.default(16_421).describe('Port to listen on.'),
  host: word.exactOptional().describe('Address to listen on; default: all addresses.'),
  allow: z.array(cidr).min(1).describe('Networks that may access this unauthenticated API.'),
  aliases: z
    .array(word)
    .default([])
    .describe(
      'Machines, phones and equipment that clients may switch and read by name, such as `rpi-[001-040]`. Outlets do not need to be listed.',
    ),
})
  .exactOptional()
  .describe(
    "pdudaemon's HTTP API and power states, for labgrid, LAVA and scripts. Off by default.",
  );

export const powerCycleDaemon = section({
  ...anyService,
  cooldownSeconds: whole(0, 86_400)
    .default(300)
    .describe(
      "Minimum time between turning a machine's power on, with `on` or at the end of a cycle, and turning it off again; also before and after a soft reboot. This protects the relay, and applies to all callers.",
    ),
  maxPerHour: whole(1, 60)
    .default(4)
    .describe(
      'Maximum number of power cuts per machine per hour, through either `cycle` or `off`. A soft reboot is not a power cut.',
    ),
  atOncePerController: whole(1, 200)
    .default(5)
    .describe(
      'Maximum number of concurrent cycles on one switch or PDU. This limits the load, because booting machines draw more current.',
    ),
  atOnce: whole(1, 1000).default(20).describe('Maximum number of concurrent cycles in the rack.'),
  staggerSeconds: seconds(0, 60)
    .default(2)
    .describe('Pause between turning on two outlets on the same controller after a power failure.'),
  softSeconds: seconds(1, 600)
    .default(30)
    .describe('Time limit for a reachable machine to go down after a soft reboot request.'),
  seenBack: seenBack
    .exactOptional()
    .describe(
      "How to check that a machine is up again after a power cycle, unless the machine's entry specifies a method; default: by connecting over SSH.",
    ),
  seenBackSeconds: whole(1, 86_400)
    .default(300)
    .describe('Time limit for a machine to come back up.'),
  tries: section({
    off: whole(1, 100)
      .default(3)
      .describe(
        'Maximum number of attempts to turn an outlet off. Attempts to turn an outlet on are unlimited.',
      ),
    cycle: whole(1, 10)
      .default(1)
      .describe('Maximum number of cycles per request if the machine does not come back up.'),
  }).describe('Limits on attempts.'),
  readSeconds: whole(5, 3600)
    .default(60)
    .describe('Interval at which the state and power draw of idle outlets are read.'),
  probeSeconds: section({
    first: seconds(0.1, 3600).default(5).describe('Initial pause.'),
    most: seconds(1, 86_400).default(300).describe('Maximum pause.'),
  }).describe(
    'Pauses between attempts to reach a controller that is down; each pause is twice as long as the previous one.',
  ),
  taskCheckSeconds: seconds(0.1, 60)
    .default(3)
    .describe(
      'Time limit for an agent to report whether a task is running. If the agent does not respond, the machine is considered idle, unless the agent requested the cycle.',
    ),
  holds: section({
    defaultHours: hours(8760).default(24).describe('Default duration of a hold.'),
    maxHours: hours(8760).default(720).describe('Maximum duration of a hold.'),
  }).describe('Holds, which block power cycles of a target during a repair.'),
  devicesPerHour: whole(0, 60)
    .default(6)
    .describe(
      "Cycles per hour that an agent may request for its own phones; 0 disables such requests. Requests must come from the machine's address and be signed with the agent's key.",
    ),
  endpoints: section({ pdudaemon }).describe(
    'APIs compatible with other software, each on its own port.',
  ),
  repair: section({
    enabled: z
      .boolean()
      .default(false)
      .describe('Whether to power-cycle dead machines automatically.'),
    alerts: z
      .array(word)
      .min(1)
      .default(['MachineMissing'])
      .describe('Alertmanager alerts that trigger a repair unless they are silenced.'),
    deadMinutes: whole(1, 10_080)
      .default(15)
      .describe('How long an alert must fire before the machine is cycled.'),
    tries: whole(1, 20)
      .default(3)
      .describe('Number of unsuccessful cycles after which the machine needs attention.'),
    pauseMinutes: whole(1, 10_080)
      .default(60)
      .describe('Minimum time between two requests to cycle the same machine.'),
    maxDown: whole(1, 1000)
      .default(3)
      .describe(
        'Limit for missing machines on one switch or PDU. If both `maxDown` and `maxDownPercent` are exceeded, these machines are not repaired, because a common cause is likely.',
      ),
    maxDownPercent: whole(1, 100)
      .default(20)
      .describe('Percentage of missing machines on a switch or PDU; see `maxDown`.'),
    bootGraceMinutes: whole(0, 1440)
      .default(15)
      .describe('How long repairs are suspended after the jumphost boots.'),
    internet: section({
      enabled: z
        .boolean()
        .default(false)
        .describe(
          'Whether to power-cycle a router that is not responding, through its PDU. Without the router, operators cannot reach the rack remotely.',
        ),
      silentMinutes: whole(5, 1440)
        .default(15)
        .describe('The router is cycled if it has not responded for this long.'),
      pauseMinutes: whole(10, 10_080)
        .default(60)
        .describe('Minimum time between two cycles of the router.'),
    }).describe(
      "Dead man's switch for the internet connection. Requires an [autonomous](#models) outlet.",
    ),
  }).describe('Automatic repair of dead machines.'),
});
export type PowerCycleDaemonSettings = z.output<typeof powerCycleDaemon>;
