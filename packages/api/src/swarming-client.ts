/** What the agent on a machine answers on its status port. */
import { z } from 'zod';
import { Problem } from './problem.ts';
import { route } from './route.ts';
import { Time } from './time.ts';

const verdict = z.enum(['ok', 'recovering', 'maintenance', 'quarantined']);

export const DeviceStatus = z
  .object({
    name: z.string().meta({ description: 'on the machine, as in rack.yaml: `device`' }),
    state: z.enum(['present', 'missing', 'unknown']),
    kind: z.string().optional(),
    since: Time.optional().meta({ description: 'of that state' }),
    readAt: Time.optional().meta({ description: 'when it was last looked at' }),
    why: z.string().optional().meta({ description: 'why it is missing' }),
    serial: z.string().optional(),
    dimensions: z.record(z.string(), z.array(z.string())).optional(),
    batteryPercent: z.number().optional(),
    temperaturesCelsius: z.record(z.string(), z.number()).optional(),
    thermalStatus: z.int().optional().meta({ description: 'of Android: 0 none, 6 shutdown' }),
    uptimeSeconds: z.number().optional(),
  })
  .meta({ id: 'DeviceStatus' });
export type DeviceStatus = z.output<typeof DeviceStatus>;

export const BotStatus = z
  .object({
    state: z
      .enum(['waiting', 'fetching', 'running', 'silent', 'backing-off', 'stopping', 'stopped'])
      .meta({ description: 'silent: it has called no hook for 10 min, has no task, and is ended' }),
    since: Time,
    why: z.string().optional().meta({ description: 'why it does not run' }),
    pid: z.int().optional(),
    server: z.string().optional(),
    healthy: z
      .boolean()
      .meta({ description: 'it has called its hooks since it was started, and is not silent' }),
    starts: z.int().min(0).meta({ description: 'since the agent was started' }),
    startedAt: Time.optional(),
    nextStartAt: Time.optional(),
    lastExit: z.object({ at: Time, why: z.string(), text: z.string() }).optional(),
  })
  .meta({ id: 'BotStatus' });
export type BotStatus = z.output<typeof BotStatus>;

export const HealthStatus = z
  .object({
    verdict,
    since: Time,
    reasons: z.array(
      z.object({
        verdict: verdict.exclude(['ok']),
        code: z.string().meta({ examples: ['battery-low'] }),
        text: z.string(),
        since: Time,
        device: z.string().optional(),
      }),
    ),
  })
  .meta({ id: 'HealthStatus', description: 'whether it may take tasks, and if not, why' });
export type HealthStatus = z.output<typeof HealthStatus>;

export const RepairStep = z
  .object({
    at: Time,
    device: z.string(),
    round: z.int().min(1),
    step: z.string().meta({ examples: ['adb-reconnect'] }),
    outcome: z.string().meta({ examples: ['done', 'failed', 'skipped'] }),
    text: z.string().optional(),
  })
  .meta({ id: 'RepairStep' });
export type RepairStep = z.output<typeof RepairStep>;

export const AgentStatus = z
  .object({
    machine: z.string(),
    /** Another one after each boot: proof that the machine was down. */
    bootId: z.string().optional().meta({ description: 'of the running kernel; random(4)' }),
    task: z.object({
      running: z.boolean(),
      id: z.string().optional(),
      since: Time.optional(),
    }),
    devices: z.array(DeviceStatus).meta({ description: 'phones and other devices attached to it' }),
    health: HealthStatus.optional(),
    bot: BotStatus.optional(),
    repairs: z.array(RepairStep).optional().meta({ description: 'the last ones, the newest last' }),
    host: z
      .object({
        diskFreeBytes: z.number().optional(),
        diskSizeBytes: z.number().optional(),
        celsius: z.number().optional(),
        underVoltage: z.boolean().optional(),
        throttled: z.boolean().optional(),
        clockOffsetSeconds: z.number().optional(),
      })
      .optional(),
    identity: z
      .object({
        rack: z.string().optional(),
        from: z
          .enum(['metadata-server', 'kept copy', 'file', 'nowhere'])
          .meta({ description: 'where it knows from what rack.yaml says of it' }),
        why: z.string().optional().meta({ description: 'why it does not, or not anew' }),
      })
      .optional(),
    versions: z
      .object({ agent: z.string(), node: z.string(), python: z.string().optional() })
      .optional(),
  })
  .meta({ id: 'AgentStatus' });
export type AgentStatus = z.output<typeof AgentStatus>;

export const UsbPortState = z
  .object({
    hub: z.string().meta({ examples: ['1-1'] }),
    port: z.int().min(1),
    on: z.boolean(),
  })
  .meta({ id: 'UsbPortState' });
export type UsbPortState = z.output<typeof UsbPortState>;

export const LogLine = z
  .object({
    number: z.int().min(0).meta({ description: 'grows by one with each line' }),
    at: Time,
    from: z.enum(['agent', 'bot']),
    text: z.string(),
  })
  .meta({ id: 'LogLine' });
export type LogLine = z.output<typeof LogLine>;

const usbPort = z.object({ hub: z.string(), port: z.coerce.number().int().min(1) });
const why = z.string().trim().min(1).max(1000);
/** The agent shares its memory with the tasks of the machine. */
const mostBodyBytes = 64 * 1024;

export const swarmingClientApi = {
  status: route({
    method: 'get',
    path: '/v1/status',
    summary: 'The task, the devices and the health of the machine',
    answers: { 200: AgentStatus },
  }),
  log: route({
    method: 'get',
    path: '/v1/log',
    summary: 'The last lines of the agent and of the bot, as they are in memory',
    role: 'view',
    query: z.strictObject({
      lines: z.coerce.number().int().min(1).max(1000).default(100),
      after: z.coerce
        .number()
        .int()
        .min(-1)
        .optional()
        .meta({ description: 'only lines with a larger number' }),
    }),
    answers: { 200: z.object({ lines: z.array(LogLine) }) },
  }),
  clearQuarantine: route({
    method: 'post',
    path: '/v1/quarantine/clear',
    summary: 'Ends a quarantine that a person forced, and tries devices anew that need hands',
    role: 'operate',
    body: z.strictObject({ why }),
    mostBodyBytes,
    audits: { target: 'self', reason: 'body.why', answer: ['verdict'] },
    answers: { 200: HealthStatus, 503: Problem },
  }),
  reboot: route({
    method: 'post',
    path: '/v1/reboot',
    summary: 'Reboots the machine',
    role: 'operate',
    body: z.strictObject({ why }),
    mostBodyBytes,
    audits: { target: 'self', reason: 'body.why' },
    answers: { 202: undefined, 409: Problem, 503: Problem },
  }),
  usbPort: route({
    method: 'get',
    path: '/v1/usb/{hub}/{port}',
    summary: 'Whether a port of the machine’s own hub has power',
    role: 'view',
    params: usbPort,
    answers: { 200: UsbPortState, 404: Problem, 503: Problem },
  }),
  setUsbPort: route({
    method: 'put',
    path: '/v1/usb/{hub}/{port}',
    summary: 'Turns the power of a port of the machine’s own hub on or off',
    role: 'operate',
    params: usbPort,
    body: z.strictObject({ on: z.boolean(), why }),
    mostBodyBytes,
    audits: {
      target: 'self',
      reason: 'body.why',
      input: ['params.hub', 'params.port', 'body.on'],
      answer: ['on'],
    },
    answers: { 200: UsbPortState, 403: Problem, 404: Problem, 503: Problem },
  }),
};
