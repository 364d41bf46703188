/** Settings of the agent on the machines: which Swarming server, what a healthy phone is, what is tried with a sick one. */

import { seconds, whole } from '@skolo/models';
import { z } from 'zod';
import { object, path, section, text } from '../fields.ts';
import { httpUrl } from '../network-fields.ts';
import { common } from './common.ts';

const server = httpUrl.meta({ examples: ['https://chromium-swarm.appspot.com'] });
const degrees = z.number().min(-50).max(200);
const percent = z.number().min(0).max(100);
const absolute = text(/^\/[^\0]*$/, 'an absolute path', '/b/s');

/** The thresholds of a healthy device. The second of each pair is where it has recovered: in between nothing changes. */
const thresholds = {
  batteryLowPercent: percent
    .default(30)
    .describe('Below it the device recovers and takes no tasks …'),
  batteryGoodPercent: percent.default(40).describe('… until it is above this.'),
  hotCelsius: degrees.default(35).describe('Above it the device recovers …'),
  coolCelsius: degrees.default(32).describe('… until it is below this.'),
  hotProcessorCelsius: degrees
    .default(80)
    .describe(
      'The same for sensors inside of its processor, which are warm when it works: above it …',
    ),
  coolProcessorCelsius: degrees.default(65).describe('… until it is below this.'),
  ignoreSensors: z
    .array(z.string().min(1))
    .default([])
    .describe('Sensors of this device that are wrong.'),
};

export const repairSteps = [
  'adb-reconnect',
  'adb-restart',
  'device-reboot',
  'usb-cycle',
  'power-cycle',
] as const;

export const swarmingClient = section({
  ...common,
  url: httpUrl
    .exactOptional()
    .describe(
      'URL of the status port; by default at the address of the machine. Said in the entry of a machine.',
    ),
  metricsUrl: httpUrl
    .exactOptional()
    .describe(
      'URL of its metrics; by default at the address of the machine. Said in the entry of a machine.',
    ),
  server: server.exactOptional().describe('The Swarming server, for every machine name.'),
  servers: z
    .array(
      object({
        prefix: z.string().describe('How the name of the machine begins; the empty text is all.'),
        server: server.describe('Its Swarming server.'),
      }),
    )
    .default([
      { prefix: 'skia-i-', server: 'https://chrome-swarming.appspot.com' },
      { prefix: 'skia-d-', server: 'https://chromium-swarm-dev.appspot.com' },
      { prefix: '', server: 'https://chromium-swarm.appspot.com' },
    ])
    .describe('Which server by name; the first that fits.'),
  python: z.string().min(1).default('/usr/bin/python3').describe('The Python that runs the bot.'),
  botDir: absolute
    .default('/b/s')
    .describe('Folder of the bot, and of nothing else: the bot deletes what it does not know.'),
  backoffSeconds: section({
    first: seconds(0.1, 3600).default(2).describe('First pause.'),
    most: seconds(1, 86_400).default(300).describe('Longest pause.'),
  }).describe('Pauses before the bot is started again; they double until it calls its hooks.'),
  taskGraceSeconds: whole(0, 86_400)
    .default(3600)
    .describe('How long a running task may go on after SIGTERM.'),
  reboot: z
    .enum(['restart-bot', 'host', 'refuse'])
    .default('restart-bot')
    .describe('Action when the bot asks for a reboot of its host.'),
  readSeconds: seconds(1, 3600).default(30).describe('How often the devices are read.'),
  commandSeconds: seconds(0.1, 120)
    .default(5)
    .describe('Time-out of one command of adb or libimobiledevice.'),
  ssh: section({
    user: text(/^[a-z_][\w.-]*$/i, 'a user', 'root')
      .default('root')
      .describe('User on devices that are reached over ssh.'),
    port: whole(1, 65_535).default(22).describe('Port of their ssh.'),
    privateKey: path.exactOptional().describe('Its key, a path on the machine.'),
    commandSeconds: seconds(0.1, 300).default(20).describe('Time-out of one command.'),
  }).describe('Devices over ssh (chromeos, linux).'),
  thresholds: section(thresholds).describe('Thresholds for health.'),
  deviceModels: z
    .record(z.string(), object(overridesOf(thresholds)))
    .default({})
    .describe('Other thresholds for one `device_type`: `{ walleye: { hotCelsius: 40 } }`.'),
  host: section({
    diskLowPercent: percent.default(5).describe('Free space of the disk below it: no tasks …'),
    diskGoodPercent: percent.default(8).describe('… until there is this much.'),
    hotCelsius: degrees.default(80).describe('The Raspberry Pi itself: too hot above it …'),
    coolCelsius: degrees.default(70).describe('… until below this.'),
    clockOffsetSeconds: seconds(0.1, 3600)
      .default(10)
      .describe('A clock further off takes no tasks.'),
  }).describe('Thresholds for the health of the machine itself.'),
  repair: section({
    steps: z
      .array(z.enum(repairSteps))
      .default([...repairSteps])
      .describe(
        'Steps to repair a missing device, in this order; `power-cycle` asks the power-cycle daemon.',
      ),
    afterSeconds: whole(0, 86_400).default(120).describe('How long it must be gone.'),
    pauseSeconds: whole(1, 86_400).default(120).describe('Pause after each step.'),
    usbOffSeconds: whole(1, 60)
      .default(5)
      .describe('How long `usb-cycle` leaves a port without power.'),
    rounds: whole(1, 20).default(2).describe('Then it "needs hands".'),
  }).describe('The repair ladder.'),
  afterTask: section({
    reboot: z.boolean().default(true).describe('Reboot the device after each task.'),
    readySeconds: whole(1, 3600).default(300).describe('How long it may take until the next task.'),
  }).describe('After a task.'),
  isolatedCacheBytes: whole(0, 2 ** 50)
    .default(8 * 2 ** 30)
    .describe('Size of the cache of the bot.'),
  dimensions: z
    .record(
      text(/^[a-zA-Z_.-][0-9a-zA-Z_.-]{0,63}$/, 'a dimension', 'pool'),
      z.array(z.string().min(1).max(256)).min(1),
    )
    .default({})
    .describe('More dimensions, told as they are: `{ pool: [Skia] }`.'),
  keepEvidence: z
    .boolean()
    .default(true)
    .describe('Keep a screenshot and the last log of a phone that is quarantined.'),
  quarantineFile: z
    .string()
    .min(1)
    .default('~/{machine}.force_quarantine')
    .describe(
      'A file that quarantines the machine, with its text as the reason. It is removed when it was read.',
    ),
});
export type SwarmingClientSettings = z.output<typeof swarmingClient>;

/** The same keys, none of them with a default: for what is said about one machine only. */
export function overridesOf(shape: z.ZodRawShape): z.ZodRawShape {
  return Object.fromEntries(
    Object.entries(shape).map(([key, schema]) => {
      const inner = withoutDefault(schema);
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

function withoutDefault(schema: z.core.$ZodType): z.ZodType {
  let inner = schema;
  while (
    inner instanceof z.ZodExactOptional ||
    inner instanceof z.ZodDefault ||
    inner instanceof z.ZodPrefault
  ) {
    inner = inner.unwrap();
  }
  return inner as z.ZodType;
}
