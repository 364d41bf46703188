/**
 * Settings of the agent on machines, with defaults: when a battery is low, a phone too hot, a disk full; repair steps and when they are
 * given up; how long a task may take to end. docs/reference/rack-yaml.md lists them all.
 */

import { seconds, whole } from '@skolo/equipment/models';
import { z } from 'zod';
import { object, path, section, text, unwrapped, word } from '../fields.ts';
import { httpUrl } from '../network-fields.ts';
import { anyService } from './any-service.ts';

const server = httpUrl.meta({ examples: ['https://chromium-swarm.appspot.com'] });
const degrees = z.number().min(-50).max(200);
const percent = z.number().min(0).max(100);
const absolute = text(/^\/[^\0]*$/, 'an absolute path', '/b/s');

/** Thresholds of a healthy device, in pairs with hysteresis. */
const thresholds = {
  batteryLowPercent: percent
    .default(30)
    .describe('Battery charge below which the device stops accepting tasks.'),
  batteryGoodPercent: percent
    .default(40)
    .describe('Battery charge at which the device accepts tasks again.'),
  hotCelsius: degrees
    .default(35)
    .describe('Temperature above which the device stops accepting tasks.'),
  coolCelsius: degrees
    .default(32)
    .describe('Temperature below which the device accepts tasks again.'),
  hotProcessorCelsius: degrees
    .default(80)
    .describe('Same as `hotCelsius`, but for processor sensors.'),
  coolProcessorCelsius: degrees
    .default(65)
    .describe('Same as `coolCelsius`, but for processor sensors.'),
  ignoreSensors: z.array(word).default([]).describe('Temperature sensors to ignore.'),
};

export const repairSteps = [
  'adb-reconnect',
  'adb-restart',
  'device-reboot',
  'usb-cycle',
  'power-cycle',
] as const;

export const swarmingClient = section({
  ...anyService,
  url: httpUrl
    .exactOptional()
    .describe(
      "Agent URL; default: the status port on the machine. Set this key in the machine's entry.",
    ),
  metricsUrl: httpUrl
    .exactOptional()
    .describe(
      "Metrics URL; default: the metrics port on the machine. Set this key in the machine's entry.",
    ),
  bot: z
    .enum(['swarming', 'none'])
    .default('swarming')
    .describe(
      'Bot that the agent runs. If `none`, the agent does not need a Swarming server, but still monitors and repairs the machine and its phones.',
    ),
  server: server.exactOptional().describe('Swarming server for all machines.'),
  servers: z
    .array(
      object({
        prefix: z
          .string()
          .describe('Prefix of the machine name; an empty prefix matches all machines.'),
        server: server.describe('Swarming server for these machines.'),
      }),
    )
    .default([
      { prefix: 'skia-i-', server: 'https://chrome-swarming.appspot.com' },
      { prefix: 'skia-d-', server: 'https://chromium-swarm-dev.appspot.com' },
      { prefix: '', server: 'https://chromium-swarm.appspot.com' },
    ])
    .describe('Swarming servers by machine name prefix; the first match applies.'),
  python: word.default('/usr/bin/python3').describe('Python interpreter for the bot.'),
  botDir: absolute
    .default('/b/s')
    .describe(
      "The bot's directory. Do not store anything else there, because the bot deletes unknown files.",
    ),
  backoffSeconds: section({
    first: seconds(0.1, 3600).default(2).describe('Initial pause.'),
    most: seconds(1, 86_400).default(300).describe('Maximum pause.'),
  }).describe(
    'Pauses before restarts of the bot. The pause doubles with each restart until the bot calls its hooks.',
  ),
  taskGraceSeconds: whole(0, 86_400)
    .default(3600)
    .describe('Grace period for a running task after SIGTERM.'),
  reboot: z
    .enum(['restart-bot', 'host', 'reject'])
    .default('restart-bot')
    .describe("Response to the bot's request to reboot the machine."),
  readSeconds: seconds(1, 3600)
    .default(30)
    .describe('Interval at which the state of the machine and its devices is read.'),
  commandSeconds: seconds(0.1, 120)
    .default(5)
    .describe('Timeout for each adb or libimobiledevice command.'),
  ssh: section({
    user: text(/^[a-z_][\w.-]*$/i, 'a user', 'root')
      .default('root')
      .describe('User name for SSH connections.'),
    port: whole(1, 65_535).default(22).describe('SSH port on the devices.'),
    privateKey: path.exactOptional().describe('Path of the SSH key on the machine.'),
    commandSeconds: seconds(0.1, 300).default(20).describe('Timeout for each command.'),
  }).describe('SSH connections to `chromeos` and `linux` devices.'),
  thresholds: section(thresholds).describe('Device health thresholds.'),
  deviceModels: z
    .record(z.string(), object(overridesOf(thresholds)))
    .default({})
    .describe('Thresholds by `device_type`, such as `{ walleye: { hotCelsius: 40 } }`.'),
  host: section({
    diskLowPercent: percent
      .default(5)
      .describe('Percentage of free disk space below which the machine stops accepting tasks.'),
    diskGoodPercent: percent
      .default(8)
      .describe('Percentage of free disk space at which the machine accepts tasks again.'),
    hotCelsius: degrees
      .default(80)
      .describe('Temperature above which the machine stops accepting tasks.'),
    coolCelsius: degrees
      .default(70)
      .describe('Temperature below which the machine accepts tasks again.'),
    clockOffsetSeconds: seconds(0.1, 3600)
      .default(10)
      .describe('Clock offset above which the machine does not accept tasks.'),
  }).describe('Machine health thresholds.'),
  repair: section({
    steps: z
      .array(z.enum(repairSteps))
      .default([...repairSteps])
      .describe(
        'Repair steps for a device that is missing or does not become ready, in the order in which they are tried. `power-cycle` uses the power-cycle daemon.',
      ),
    afterSeconds: whole(0, 86_400)
      .default(120)
      .describe('How long the problem must last before the first step.'),
    pauseSeconds: whole(1, 86_400).default(120).describe('Pause after each step.'),
    usbOffSeconds: whole(1, 60)
      .default(5)
      .describe('How long the power stays off during `usb-cycle`.'),
    rounds: whole(1, 20)
      .default(2)
      .describe('Number of times that all steps are performed before the device needs attention.'),
  }).describe('Automatic repair of devices, starting with the least disruptive step.'),
  afterTask: section({
    reboot: z.boolean().default(true).describe('Whether to reboot the device after each task.'),
    readySeconds: whole(1, 3600)
      .default(300)
      .describe('Time limit for the device to become ready for the next task.'),
  }).describe('Actions after a task.'),
  isolatedCacheBytes: whole(0, 2 ** 50)
    .default(8 * 2 ** 30)
    .describe("Maximum size of the bot's cache."),
  dimensions: z
    .record(
      text(/^[a-zA-Z_.-][0-9a-zA-Z_.-]{0,63}$/, 'a dimension', 'pool'),
      z.array(word.max(256)).min(1),
    )
    .default({})
    .describe(
      'Additional Swarming dimensions, such as `{ pool: [Skia] }`, which are sent unchanged.',
    ),
  keepEvidence: z
    .boolean()
    .default(true)
    .describe('Whether to save a screenshot and the latest log of a phone that becomes unhealthy.'),
  quarantineFile: word
    .default('~/{machine}.force_quarantine')
    .describe(
      'To quarantine the machine, an operator writes a reason to this file. The agent deletes the file after reading it.',
    ),
});
export type SwarmingClientSettings = z.output<typeof swarmingClient>;

/** The same keys without defaults, for overrides of one machine. */
export function overridesOf(shape: z.ZodRawShape): z.ZodRawShape {
  return Object.fromEntries(
    Object.entries(shape).map(([key, schema]) => {
      const inner = unwrapped(schema);
      const override = inner instanceof z.ZodObject ? object(overridesOf(inner.shape)) : inner;
      const { description } = z.globalRegistry.get(schema) ?? {};
      return [
        key,
        description === undefined
          ? override.exactOptional()
          : override.exactOptional().describe(description),
      ];
    }),
  );
}
