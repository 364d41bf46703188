/** The status port: what the agent reports and does for its callers. */
import type { AgentStatus, swarmingClientApi } from '@skolo/api/swarming-client';
import { errorText } from '@skolo/base';
import { FileNotWritten } from '@skolo/base/durable/atomic-file';
import { HttpProblem, type RouteHandlers } from '@skolo/common/light';
import type { UsbPort } from '@skolo/rack';
import { type Task, taskName } from '../hooks/task.ts';
import type { Reboot } from '../host/reboot.ts';
import { UsbRejected } from '../host/usb.ts';
import type { Machine } from '../machine.ts';
import type { RecentLines } from './recent-lines.ts';
import type { Revisions } from './revision.ts';
import { healthStatus, inIsoTime } from './status.ts';

export interface StatusApiDeps {
  status: () => AgentStatus;
  revisions: Pick<Revisions, 'current' | 'wait'>;
  task: Task;
  lines: RecentLines;
  machine: Pick<Machine, 'usb' | 'clear' | 'setOrders' | 'startRepair' | 'screens'>;
  reboot: Pick<Reboot, 'whyNot' | 'start'>;
}

export function statusApi(deps: StatusApiDeps): RouteHandlers<typeof swarmingClientApi> {
  return {
    async status({ query: { after, waitSeconds }, hungUp }) {
      if (after !== undefined) await deps.revisions.wait(after, waitSeconds, hungUp);
      return { status: 200, body: { ...deps.status(), revision: deps.revisions.current() } };
    },
    log: ({ query: { lines, after } }) => ({
      status: 200,
      body: { lines: deps.lines.last(lines, after).map(inIsoTime) },
    }),
    clearQuarantine: async () => ({ status: 200, body: healthStatus(await deps.machine.clear()) }),
    async setOrders({ body: { orders } }) {
      try {
        return { status: 200, body: healthStatus(await deps.machine.setOrders(orders)) };
      } catch (error) {
        if (!(error instanceof FileNotWritten)) throw error;
        throw new HttpProblem(503, `${error.message}; the previous orders stay in effect`);
      }
    },
    async screen({ body, hungUp }) {
      const { png, at } = await deps.machine.screens.get(body, hungUp);
      return { status: 200, body: png, headers: { 'last-modified': at.toUTCString() } };
    },
    repair({ body }) {
      deps.machine.startRepair(body);
      return { status: 202 };
    },
    reboot({ body }) {
      const rejected = deps.reboot.whyNot();
      if (rejected !== undefined) throw new HttpProblem(409, rejected);
      const task = deps.task.get();
      if (task.running) {
        throw new HttpProblem(409, `${taskName(task)} is running; try again when it has ended`);
      }
      deps.reboot.start(body.why);
      return { status: 202 };
    },
    usbPort: ({ params }) => usbAnswer(params, () => deps.machine.usb.read(params)),
    setUsbPort: ({ params, body }) =>
      usbAnswer(params, () => deps.machine.usb.set(params, body.on, body.alone)),
  };
}

const statuses = {
  'not-own': 403,
  observed: 403,
  'no-port': 404,
  failed: 503,
  'not-obeyed': 503,
} as const;

async function usbAnswer(
  { hub, port }: UsbPort,
  ask: () => Promise<{ state: 'on' | 'off' | 'unknown' }>,
) {
  try {
    const { state } = await ask();
    return { status: 200 as const, body: { hub, port, on: state === 'on' } };
  } catch (error) {
    const status = error instanceof UsbRejected ? statuses[error.code] : 503;
    throw new HttpProblem(status, errorText(error));
  }
}
