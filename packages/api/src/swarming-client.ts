/**
 * The API of the agent on a machine, on its status port.
 *
 * Tasks run as root on machines, so everything that an agent sends is limited. Beyond the limit, text is truncated, a list is shortened,
 * and a figure or an entry of a record is dropped: an odd phone or a newer agent then only loses a detail. Only fields that decisions
 * depend on make the whole response invalid: the machine name, its orders, states, times, and values of the wrong type.
 */
import { z } from 'zod';
import { Problem } from './route/problem.ts';
import { route } from './route/route.ts';
import { Time } from './time.ts';

const verdict = z.enum(['ok', 'recovering', 'maintenance', 'quarantined']);
/** The limits of rack.yaml for a device's name and for a machine's devices. */
const mostOfName = 63;
const mostDevices = 32;

function text(most: number) {
  const cut = (value: string) => (value.length > most ? `${value.slice(0, most - 1)}…` : value);
  return z.string().overwrite(cut).max(most);
}

/** The first entries of a longer list; with a negative `most`, the last ones. */
function list<T extends z.ZodType>(element: T, most: number) {
  const shorten = <E>(all: E[]) => (most < 0 ? all.slice(most) : all.slice(0, most));
  // Shortened before each is checked, because an agent chooses how many there are.
  return z
    .array(z.unknown())
    .overwrite(shorten)
    .pipe(z.array(element).max(Math.abs(most)));
}

/** The first entries that fit. */
function entries<T extends z.ZodType>(
  value: T,
  most: number,
  fits: (key: string, value: z.output<T>) => boolean,
) {
  return z.record(z.string(), value).overwrite((all) => {
    const fitting = Object.entries(all).filter(([key, each]) => fits(key, each));
    return Object.fromEntries(fitting.slice(0, most));
  });
}

/** Absent if out of range. */
function figure(minimum: number, maximum: number) {
  const range = z.number().min(minimum).max(maximum).optional();
  return range.catch(undefined).meta({ type: 'number', minimum, maximum });
}

/** °C. */
const [coldest, hottest] = [-60, 200] as const;
const seconds = figure(0, 1e10);
const bytes = figure(0, 1e18);

export const DeviceStatus = z
  .object({
    name: text(mostOfName).describe(
      'name of the device on its machine, as in rack.yaml, such as `device`',
    ),
    state: z.enum(['present', 'missing', 'unknown']),
    kind: text(40).optional(),
    since: Time.optional().describe('when this state started'),
    readAt: Time.optional().describe('when the agent last checked the device'),
    why: text(500).optional().describe('why the device is missing or cannot be checked'),
    serial: text(100).optional(),
    // Swarming accepts keys of 64 characters and values of 256 bytes.
    dimensions: entries(list(text(256), 50), 100, (key) => key.length <= 64).optional(),
    batteryPercent: figure(0, 100),
    batteryAt: Time.optional().describe(
      'when the battery level was read, which is before `readAt` if the agent could not read it since',
    ),
    charging: z
      .boolean()
      .optional()
      .describe('whether the device reports that it is receiving power over a cable'),
    connectedSeconds: seconds.describe(
      'how long the device has been connected over USB, as reported by the device; a loss of power ends the connection',
    ),
    temperaturesCelsius: entries(
      z.number(),
      64,
      (sensor, value) => sensor.length <= 40 && value >= coldest && value <= hottest,
    ).optional(),
    temperaturesAt: Time.optional().describe(
      'when the oldest of the temperatures and the thermal status was read',
    ),
    thermalStatus: figure(0, 6).describe('Android thermal status, from 0 (none) to 6 (shutdown)'),
    uptimeSeconds: seconds,
    repairSteps: list(text(40), 20)
      .optional()
      .describe('repair steps available for the device, such as `adb-reconnect`'),
  })
  .meta({ id: 'DeviceStatus' });
export type DeviceStatus = z.output<typeof DeviceStatus>;

export const BotStatus = z
  .object({
    state: z
      .enum([
        ...(['waiting', 'fetching', 'running', 'silent', 'backing-off', 'stopping'] as const),
        ...(['stopped', 'none'] as const),
      ])
      .describe(
        '`silent`: the bot has no task but has not called a hook for 10 minutes, so the agent stops it; `none`: rack.yaml has `bot: none`',
      ),
    since: Time,
    why: text(500).optional().describe('why the bot is not running'),
    pid: z.int().optional(),
    server: text(200).optional(),
    healthy: z
      .boolean()
      .describe('whether the bot has called its hooks since it started and is not `silent`'),
    starts: z.int().min(0).describe('number of bot starts since the agent started'),
    startedAt: Time.optional(),
    nextStartAt: Time.optional(),
    lastExit: z.object({ at: Time, why: text(40), text: text(500) }).optional(),
  })
  .meta({ id: 'BotStatus' });
export type BotStatus = z.output<typeof BotStatus>;

export const HealthStatus = z
  .object({
    verdict,
    since: Time,
    reasons: list(
      z.object({
        verdict: verdict.exclude(['ok']),
        code: text(100).meta({ examples: ['battery-low'] }),
        text: text(2000),
        since: Time,
        device: text(mostOfName).optional(),
      }),
      50,
    ),
  })
  .meta({ id: 'HealthStatus', description: 'whether the machine accepts tasks, and if not, why' });
export type HealthStatus = z.output<typeof HealthStatus>;

export const RepairStep = z
  .object({
    at: Time,
    device: text(mostOfName),
    round: z.int().min(1),
    step: text(40).meta({ examples: ['adb-reconnect'] }),
    outcome: text(40).meta({ examples: ['done', 'failed', 'skipped'] }),
    text: text(500).optional(),
  })
  .meta({ id: 'RepairStep' });
export type RepairStep = z.output<typeof RepairStep>;

/** An operator's orders for a machine. machine-state owns them, and the agent keeps a durable copy. */
export const Order = z
  .object({
    id: z.string().min(1).max(100),
    kind: z
      .enum(['maintenance', 'quarantine'])
      .describe(
        "`maintenance` also silences the machine's alerts; `quarantine` means that somebody must act",
      ),
    by: z.string().max(200),
    reason: z.string().trim().min(1).max(1000),
    since: Time,
    until: Time.optional().describe('absent if the order lasts until someone ends it'),
  })
  .meta({ id: 'Order' });
export type Order = z.output<typeof Order>;

export const EndedTask = z
  .object({
    id: text(100).optional(),
    since: Time.optional(),
    endedAt: Time,
    outcome: text(50).describe(
      '`succeeded`, `failed` (including failed tests), `internal-failure`, `bot-exit`',
    ),
  })
  .meta({ id: 'EndedTask' });
export type EndedTask = z.output<typeof EndedTask>;

export const AgentStatus = z
  .object({
    machine: z.string().max(mostOfName),
    revision: text(100)
      .optional()
      .describe(
        'changes when the agent starts, and whenever the status changes; changes in measured values, such as battery levels, do not count',
      ),
    orders: list(Order, 20).optional().describe('orders that are active on this machine'),
    /** Changes with each boot, which proves that the machine was down. */
    bootId: text(100).optional().describe('boot ID of the running kernel, see random(4)'),
    task: z.object({
      running: z.boolean(),
      id: text(100).optional(),
      since: Time.optional(),
      last: EndedTask.optional().describe('last task that has ended since the agent started'),
    }),
    devices: list(DeviceStatus, mostDevices).describe('attached phones and other devices'),
    health: HealthStatus.optional(),
    bot: BotStatus.optional(),
    repairs: list(RepairStep, -20).optional().describe('latest repair steps, newest last'),
    host: z
      .object({
        diskFreeBytes: bytes,
        diskSizeBytes: bytes,
        celsius: figure(coldest, hottest),
        underVoltage: z.boolean().optional(),
        throttled: z.boolean().optional(),
        clockOffsetSeconds: figure(-1e10, 1e10),
      })
      .optional(),
    identity: z
      .object({
        rack: text(mostOfName).optional(),
        from: z
          .enum(['metadata-server', 'kept copy', 'file', 'nowhere'])
          .describe("where the machine's entry in rack.yaml came from"),
        why: text(500)
          .optional()
          .describe('why the agent does not have the entry, or has only an outdated version'),
      })
      .optional(),
    versions: z
      .object({ agent: text(100), node: text(40), python: text(40).optional() })
      .optional(),
  })
  .meta({ id: 'AgentStatus' });
export type AgentStatus = z.output<typeof AgentStatus>;

const UsbPortState = z
  .object({
    hub: z
      .string()
      .max(40)
      .meta({ examples: ['1-1'] }),
    port: z.int().min(1),
    on: z.boolean(),
  })
  .meta({ id: 'UsbPortState' });

export const LogLine = z
  .object({
    number: z.int().min(0).describe("line number, counted from the agent's start"),
    at: Time,
    from: z.enum(['agent', 'bot']),
    text: text(4000),
  })
  .meta({ id: 'LogLine' });
export type LogLine = z.output<typeof LogLine>;

const usbPort = z.object({ hub: z.string(), port: z.coerce.number().int().min(1) });
const why = z.string().trim().min(1).max(1000);
/** The agent shares memory with the machine's tasks. */
const mostBodyBytes = 64 * 1024;

export const swarmingClientApi = {
  status: route({
    method: 'get',
    path: '/v1/status',
    summary: "Returns the machine's task, devices and health",
    role: 'anyone',
    query: z.strictObject({
      after: z
        .string()
        .max(100)
        .optional()
        .describe('last known revision; the agent responds when it has a newer revision'),
      waitSeconds: z.coerce
        .number()
        .min(0)
        .max(60)
        .default(0)
        .describe(
          'maximum time to wait for a newer revision; if eight other callers are waiting, the agent responds immediately',
        ),
    }),
    answers: { 200: AgentStatus },
  }),
  log: route({
    method: 'get',
    path: '/v1/log',
    summary: "Returns the latest log lines of the agent and the bot from the agent's memory",
    role: 'view',
    query: z.strictObject({
      lines: z.coerce.number().int().min(1).max(1000).default(100),
      after: z.coerce
        .number()
        .int()
        .min(-1)
        .optional()
        .describe('return only lines whose number is higher than this'),
    }),
    answers: { 200: z.object({ lines: list(LogLine, -1000) }) },
  }),
  clearQuarantine: route({
    method: 'post',
    path: '/v1/quarantine/clear',
    summary: 'Ends a forced quarantine, and restarts repairs of devices that need attention',
    repeated: 'no change',
    role: 'operate',
    body: z.strictObject({ why }),
    mostBodyBytes,
    audits: { target: 'self', reason: 'body.why', answer: ['verdict'] },
    answers: { 200: HealthStatus, 503: Problem },
  }),
  setOrders: route({
    method: 'put',
    path: '/v1/orders',
    summary:
      'Replaces all orders for the machine; when the call returns, the new orders have been stored durably',
    repeated: 'no change',
    role: 'operate',
    body: z.strictObject({ orders: z.array(Order).max(20) }),
    mostBodyBytes,
    audits: { target: 'self', input: ['body.orders'] },
    answers: { 200: HealthStatus, 503: Problem },
  }),
  screen: route({
    method: 'post',
    path: '/v1/screen',
    summary: "Returns a phone's screen: the last screenshot stored as evidence, or a new one",
    repeated: 'takes another screenshot',
    description:
      '`Last-Modified` is the time of the screenshot. A new screenshot is not stored. While a task is running, a new screenshot requires `force`; otherwise, the response is 409.',
    role: 'operate',
    body: z.strictObject({
      device: z.string().optional().describe('can be omitted if the machine has only one device'),
      fresh: z.boolean().default(false),
      force: z
        .boolean()
        .default(false)
        .describe('take the screenshot even while a task is running'),
    }),
    mostBodyBytes,
    audits: { target: 'self', input: ['body.device', 'body.fresh', 'body.force'] },
    types: ['image/png'],
    answers: { 200: undefined, 404: Problem, 409: Problem, 503: Problem },
  }),
  repair: route({
    method: 'post',
    path: '/v1/repair',
    summary: 'Starts one repair step for a device; `repairs` in the status shows the outcome',
    repeated:
      "409 while a step or task is running. Afterwards, runs the step again unless machine-state's key prevents this",
    description:
      'The step runs even if the device is healthy, and does not count as an automatic repair. The response is 409 during a task, another step or a hold on the device. The agent ends the step if a task starts.',
    role: 'operate',
    body: z.strictObject({
      device: z
        .string()
        .max(100)
        .optional()
        .describe('can be omitted if the machine has only one device'),
      step: z.string().max(100).describe("one of the device's `repairSteps`"),
      why,
    }),
    mostBodyBytes,
    audits: { target: 'self', reason: 'body.why', input: ['body.device', 'body.step'] },
    answers: { 202: undefined, 404: Problem, 409: Problem },
  }),
  reboot: route({
    method: 'post',
    path: '/v1/reboot',
    summary: 'Reboots the machine',
    repeated:
      "409 until the machine has rebooted. Afterwards, reboots it again unless machine-state's key prevents this",
    role: 'operate',
    body: z.strictObject({ why }),
    mostBodyBytes,
    audits: { target: 'self', reason: 'body.why' },
    answers: { 202: undefined, 409: Problem, 503: Problem },
  }),
  usbPort: route({
    method: 'get',
    path: '/v1/usb/{hub}/{port}',
    summary: "Returns whether a port on the machine's hub has power",
    role: 'view',
    params: usbPort,
    answers: { 200: UsbPortState, 404: Problem, 503: Problem },
  }),
  setUsbPort: route({
    method: 'put',
    path: '/v1/usb/{hub}/{port}',
    summary: "Turns the power of a port on the machine's hub on or off",
    repeated: 'no change',
    role: 'operate',
    params: usbPort,
    body: z.strictObject({
      on: z.boolean(),
      alone: z
        .boolean()
        .default(false)
        .describe('turn off only this port, even if others share its power'),
      why,
    }),
    mostBodyBytes,
    audits: {
      target: 'self',
      reason: 'body.why',
      input: ['params.hub', 'params.port', 'body.on', 'body.alone'],
      answer: ['on'],
    },
    answers: { 200: UsbPortState, 403: Problem, 404: Problem, 503: Problem },
  }),
};
