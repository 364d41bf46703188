/** Says in one sentence why a machine is in its condition. */
import type { MachineCondition, MachineOrder } from '@skolo/api';
import type { MachineSources } from './sources.ts';

/** More reasons do not fit on a line. */
const mostReasons = 3;

export type Told = Pick<
  MachineSources,
  'agent' | 'orders' | 'unknownOrders' | 'services' | 'alerts' | 'cause' | 'flapping' | 'limits'
> & {
  /** Devices whose port is off, or being cycled, by their name on the machine. */
  unpowered: ReadonlyMap<string, string>;
};

export function sentenceOf(name: string, condition: MachineCondition, sources: Told): string {
  const undelivered = sources.orders.filter(({ deliveredAt }) => deliveredAt === undefined);
  return [
    basicSentence(name, condition, sources),
    ...undelivered.map(
      ({ kind, by, why }) =>
        `the ${kind} order${orderedBy(by)} has not reached the agent${why === undefined ? '' : `: ${why}`}`,
    ),
    ...sources.unknownOrders
      .slice(0, mostReasons)
      .map(
        ({ kind, by }) =>
          `the agent reports a ${kind} order by ${by}, but the journal does not contain it`,
      ),
  ].join('; ');
}

function basicSentence(name: string, condition: MachineCondition, sources: Told): string {
  const { agent, orders, cause } = sources;
  const { status } = agent;
  switch (condition) {
    case 'ok': {
      if (status === undefined) return notAsked(condition);
      const { task, bot } = status;
      if (!task.running)
        return bot?.state === 'none' ? 'healthy, without a bot' : 'waiting for a task';
      return task.id === undefined ? 'running a task' : `running task ${task.id}`;
    }
    case 'unknown':
      return agent.status === undefined
        ? notAsked(condition)
        : 'the agent does not report whether the machine is healthy; update the agent';
    case 'maintenance': {
      const order = orders.find(({ kind }) => kind === 'maintenance');
      return order === undefined ? reasonsOf(condition, sources) : orderText(order);
    }
    case 'recovering':
    case 'quarantined':
      return reasonsOf(condition, sources);
    case 'never-reported':
      return silenceText('the agent has never responded', sources);
    case 'stale':
    case 'gone':
      if (cause !== undefined) return `${cause.why}`;
      return powerText(name, sources) ?? silenceText('the agent is not responding', sources);
  }
}

export function reasonsOf(condition: MachineCondition, { agent, unpowered }: Told): string {
  const reasons =
    agent.status?.health?.reasons.filter(({ verdict }) => verdict === condition) ?? [];
  if (agent.status === undefined) return notAsked(condition);
  if (reasons.length === 0) return `the agent reports ${condition} without giving a reason`;
  const shown = reasons.slice(0, mostReasons).map(({ device, text }) => {
    const why = unpowered.get(device ?? '');
    const all = why === undefined ? text : `${text}; ${why}`;
    return device === undefined ? all : `${device}: ${all}`;
  });
  const rest = reasons.length - shown.length;
  return shown.join('; ') + (rest > 0 ? `; and ${rest} more` : '');
}

/** After a restart of this service, until the agent responds. */
function notAsked(condition: MachineCondition): string {
  return `${condition} when machine-state was stopped; the agent has not responded since`;
}

function orderText({ kind, by, reason, until }: MachineOrder): string {
  return `${kind}${orderedBy(by)}${until === undefined ? '' : ` until ${until}`}: ${reason}`;
}

function orderedBy(by: string | undefined): string {
  return by === undefined ? '' : ` by ${by}`;
}

function powerText(name: string, { services }: Told): string | undefined {
  const power = services.power?.machines.get(name);
  if (power?.cycle !== undefined) return `being power-cycled: ${power.cycle.step}`;
  const outlets = power?.outlets ?? [];
  const isOff = outlets.length > 0 && outlets.every(({ state }) => state === 'off');
  if (!isOff) return undefined;
  const names = outlets.map(({ outlet }) => outlet).join(', ');
  const by = outlets.map(({ switchedOff }) => switchedOff).find((each) => each !== undefined);
  return `the power is off at ${names}${by === undefined ? '' : `, turned off by ${by.by}: ${by.reason}`}`;
}

function silenceText(text: string, sources: Told): string {
  const whole = `${text}${because(sources.agent.why)}`;
  return damageText(sources) === undefined ? whole : `image store damaged; ${whole}`;
}

/** Why the agent may be unable to start. A machine can cause this alert only for itself. Undefined: no damage is known. */
export function damageText({ alerts }: Told): string | undefined {
  const alert = alerts.find(({ name }) => name === 'ImageStoreDamaged');
  if (alert === undefined) return undefined;
  const { firstCommand } = alert;
  return `image store damaged${firstCommand === undefined ? '' : `; to find the image, run ${firstCommand}`}`;
}

export function because(why: string | undefined): string {
  return why === undefined ? '' : `: ${why}`;
}
