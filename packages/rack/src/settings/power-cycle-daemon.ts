/** Settings of the power-cycle daemon: limits that keep hardware and people safe, repair by itself, other doors. */

import { seconds, whole } from '@skolo/models';
import { z } from 'zod';
import { object, section } from '../fields.ts';
import { cidr, portNumber } from '../network-fields.ts';
import { seenBack } from '../seen-back.ts';
import { common } from './common.ts';

function door(port: number, of: string) {
  return object({
    port: portNumber.default(port).describe('Port to listen on.'),
    host: z
      .string()
      .min(1)
      .exactOptional()
      .describe('The one address to listen on; by default all.'),
    allow: z
      .array(cidr)
      .min(1)
      .describe('Networks that may use it. It asks for no password, so there is no default.'),
  })
    .exactOptional()
    .describe(`${of} Off by default.`);
}

export const powerCycleDaemon = section({
  ...common,
  cooldownSeconds: whole(0, 86_400)
    .default(300)
    .describe(
      'After a cycle, or an off and on, the power of a machine is not cut again for this long. The limit protects the relay and applies to everybody.',
    ),
  maxPerHour: whole(1, 60)
    .default(4)
    .describe(
      'How often the power of one machine may be cut within an hour, by cycles and by offs.',
    ),
  atOncePerController: whole(1, 200)
    .default(5)
    .describe('Cycles at once on one switch or PDU: what it feeds draws current together.'),
  atOnce: whole(1, 1000).default(20).describe('Cycles at once in the whole rack.'),
  staggerSeconds: seconds(0, 60)
    .default(2)
    .describe('Pause between two outlets of one controller turned on after a power failure.'),
  softSeconds: seconds(1, 600)
    .default(30)
    .describe('How long a reachable machine has to go down after it was asked to reboot itself.'),
  seenBack: seenBack
    .exactOptional()
    .describe(
      'How a machine is seen to be back, where its own entry does not say; by default at its ssh port.',
    ),
  seenBackSeconds: whole(1, 86_400)
    .default(300)
    .describe('How long a machine may take until it is seen back.'),
  tries: section({
    off: whole(1, 100)
      .default(3)
      .describe('Attempts to turn an outlet off. To turn one on again there is no limit.'),
    cycle: whole(1, 10)
      .default(1)
      .describe('Cycles for one request, when the machine is not seen back.'),
  }).describe('How often a step is repeated before it has failed.'),
  readSeconds: whole(5, 3600)
    .default(60)
    .describe('How often outlets and their watts are read when nothing happens.'),
  probeSeconds: section({
    first: seconds(0.1, 3600).default(5).describe('First pause.'),
    most: seconds(1, 86_400).default(300).describe('Longest pause.'),
  }).describe('Pauses between attempts to reach a controller that is down; they double.'),
  taskCheckSeconds: seconds(0.1, 60)
    .default(3)
    .describe(
      'How long the agent of a machine has to say whether a task is running. Silence is "not busy".',
    ),
  holds: section({
    defaultHours: z
      .number()
      .positive()
      .max(8760)
      .default(24)
      .describe('A hold without an end is given this one.'),
    maxHours: z.number().positive().max(8760).default(720).describe('No hold is longer.'),
  }).describe('Holds, "under repair until …": a held target is not cycled.'),
  devicesPerHour: whole(0, 60)
    .default(6)
    .describe(
      'Cycles of its own phones that an agent may ask for in an hour, from its own address and without a token; 0 forbids it.',
    ),
  doors: section({
    pdudaemon: door(16_421, 'The HTTP API of pdudaemon, so that labgrid and LAVA work unchanged.'),
    report: door(9211, 'POST /powercycled_bots, the report of the original system.'),
  }).describe('APIs of other software, each on its own listener.'),
  repair: section({
    enabled: z
      .boolean()
      .default(false)
      .describe('Whether machines are cycled without anybody asking.'),
    alerts: z
      .array(z.string().min(1))
      .min(1)
      .default(['MachineMissing'])
      .describe('Alerts of Alertmanager that ask for it. Silenced ones do not.'),
    deadMinutes: whole(1, 10_080).default(15).describe('How long a machine must be dead.'),
    tries: whole(1, 20).default(3).describe('Cycles before it "needs hands".'),
    pauseMinutes: whole(1, 10_080).default(60).describe('Pause between two tries.'),
    maxDown: whole(1, 1000)
      .default(3)
      .describe('Brake: not while more of the machines of a switch are down than this …'),
    maxDownPercent: whole(1, 100)
      .default(20)
      .describe('… and more than this share of them: then it is not the machines.'),
    bootGraceMinutes: whole(0, 1440)
      .default(15)
      .describe('Brake: not so soon after the boot of the rack.'),
    uplink: section({
      enabled: z
        .boolean()
        .default(false)
        .describe(
          'Whether a silent router is cycled through its PDU. People far away cannot ask for it.',
        ),
      silentMinutes: whole(5, 1440).default(15).describe('How long it must be silent.'),
      pauseMinutes: whole(10, 10_080).default(60).describe('At most once in this time.'),
    }).describe('Dead-man switch of the uplink. Needs an outlet that cycles by itself.'),
  }).describe('Repair by itself, by policy.'),
});
export type PowerCycleDaemonSettings = z.output<typeof powerCycleDaemon>;
