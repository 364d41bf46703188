/** What a push knows about alerts, to compare machines: test/e2e/src/alerts-of-many.test.ts compares it with the rules. */

/** The machines behind an alert that counts them instead of naming them, in PromQL. */
interface CountingAlert {
  /** Those that it counts. */
  of: string;
  /** More than three and a fifth of these must be counted. Absent: one is enough. */
  all?: string;
  /** Alerts about single machines that do not fire meanwhile. */
  replaces?: readonly string[];
}

const agents = 'skolo_swarming_machine_known{job="swarming-client"}';
const bots = `count by (machine) (${agents}) unless on (machine) skolo_swarming_bot_state{job="swarming-client", state="none"} == 1`;

export const countingAlerts: Readonly<Record<string, CountingAlert>> = {
  MachinesMissing: {
    of: 'machine:seen:max3m == 0',
    all: 'machine:seen:max3m',
    replaces: ['MachineMissing', 'MachineGone'],
  },
  // machine-state only counts them: those that are recovering, quarantined or gone.
  MachinesUnhealthy: {
    of: 'skolo_swarming_health{job="swarming-client", verdict=~"recovering|quarantined"} == 1 or up{job="swarming-client", machine!=""} == 0',
    all: 'machine:seen:max3m',
  },
  // Those that report the quarantine of an order.
  ReportedQuarantinesWait: {
    of: 'skolo_swarming_health_reason_seconds{job="swarming-client", code="forced"}',
  },
  SwarmingAgentsDown: {
    of: 'machine:swarming_agent_down:max5m',
    all: 'up{job="swarming-client", machine!=""}',
    replaces: ['SwarmingAgentDown', 'MachineGone'],
  },
  SwarmingRackYamlStale: {
    of: `max by (machine) (skolo_degraded{job="swarming-client", what="identity"}) == 1 and on (machine) max by (machine) (${agents}) == 1`,
  },
  SwarmingBotsDown: {
    of: 'machine:swarming_bot_down:max10m',
    all: bots,
    replaces: ['SwarmingBotDown'],
  },
  SwarmingBotsSilent: {
    of: 'machine:swarming_bot_silent:increase1h',
    all: bots,
    replaces: ['SwarmingBotSilent'],
  },
  SwarmingBotsCrash: {
    of: 'machine:swarming_bot_crashes:increase1h',
    all: bots,
    replaces: ['SwarmingBotCrashes'],
  },
  SwarmingDownloadsFail: {
    of: 'sum by (machine) (increase(skolo_swarming_bot_downloads_total{job="swarming-client", outcome="failed"}[1h])) > 3 unless on (machine) sum by (machine) (increase(skolo_swarming_bot_downloads_total{job="swarming-client", outcome="ok"}[1h])) > 0',
  },
  SwarmingMachinesQuarantined: {
    of: 'machine:swarming_quarantined_seconds:max > 900',
    all: agents,
    replaces: [
      'SwarmingDeviceNeedsAttention',
      'SwarmingDeviceMissing',
      'SwarmingClockOff',
      'SwarmingMachineQuarantined',
    ],
  },
};

/** Names of alerts in whose place an alert about single machines fires, once they have ended. */
export function replacedBy(name: string): string[] {
  const entries = Object.entries(countingAlerts);
  return entries.filter(([, { replaces }]) => replaces?.includes(name)).map(([alert]) => alert);
}

/** 1 for each machine that a firing alert counts, 0 for the others, by alert. */
export const countedQuery = Object.entries(countingAlerts)
  .map(([alert, { of, all }]) => {
    const others = all === undefined ? '' : ` or group by (machine) (${all}) - 1`;
    const machines = `(group by (machine) (${of})${others})`;
    const fires = `ALERTS{alertname="${alert}", alertstate="firing"}`;
    return `label_replace(${machines} and on () ${fires}, "alert", "${alert}", "", "")`;
  })
  .join(' or ');

/** Reports whether an alert follows from what agents report, perhaps through machine-state. Others follow from signs of life, which `seen` is. */
export function isOfAgents(name: string, { job }: { job?: string }): boolean {
  const names =
    /^(Swarming.*|Machine(Gone|Flapping|HistoryOmits|sUnhealthy)|ReportedQuarantinesWait)$/;
  return job === 'swarming-client' || names.test(name);
}
