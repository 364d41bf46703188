/** Decides when the machine itself gets no tasks: maintenance, a hold, disk full, too hot, weak power, wrong clock, no bot. */
import { type Finding, isHot, isLow, rounded, type Was } from './device-reasons.ts';
import type { HealthFacts, HealthSettings, Ordered, ReasonCode } from './health.ts';

const gib = 2 ** 30;

export function machineReasons(facts: HealthFacts, settings: HealthSettings, was: Was): Finding[] {
  const { orders, notReady, stopping, botRestart } = facts;
  const found = orderReasons(orders);
  if (notReady !== undefined) {
    found.push({ verdict: 'maintenance', code: 'not-known', text: notReady });
  }
  if (stopping) {
    const text = 'the agent is stopping';
    found.push({ verdict: 'maintenance', code: 'stopping', text });
  } else if (botRestart !== undefined) {
    const text = `the bot will stop once it is idle: ${botRestart}`;
    found.push({ verdict: 'maintenance', code: 'bot-restart', text });
  }
  return [...found, ...holdReasons(facts), ...hostReasons(facts, settings, was)];
}

/** One reason per kind: the end of one of several orders does not end the reason. */
function orderReasons(orders: readonly Ordered[]): Finding[] {
  const kinds = [
    { kind: 'quarantine', verdict: 'quarantined', code: 'forced', what: 'quarantined' },
    { kind: 'maintenance', verdict: 'maintenance', code: 'maintenance', what: 'in maintenance' },
  ] as const;
  return kinds.flatMap(({ kind, verdict, code, what }) => {
    const these = orders.filter((order) => order.kind === kind);
    if (these.length === 0) return [];
    const texts = these.map(
      ({ by, until, reason }) => `${what} by ${by}${untilText(until)}: ${reason}`,
    );
    const began = new Date(Math.min(...these.map(({ since }) => since.getTime())));
    return [{ verdict, code, text: texts.join('; '), began }];
  });
}

function untilText(until: Date | undefined): string {
  return until === undefined ? '' : ` until ${until.toISOString().slice(0, 16)}Z`;
}

function holdReasons({ holds, devices, now }: HealthFacts): Finding[] {
  return holds
    .filter(({ until }) => until > now)
    .map(({ target, by, until, reason }) => {
      const device = devices.find(({ fullName }) => fullName === target)?.name;
      return {
        verdict: 'maintenance',
        code: `held:${target}:${by}`,
        text: `held by ${by}${untilText(until)}: ${reason}`,
        device,
      };
    });
}

function hostReasons({ host }: HealthFacts, { host: limits }: HealthSettings, was: Was): Finding[] {
  const { disk, celsius, clockOffsetSeconds: offset } = host;
  const found: Finding[] = [];
  const recovers = (code: ReasonCode, text: string) =>
    found.push({ verdict: 'recovering', code, text });

  for (const [code, value] of [
    ['disk-low', disk],
    ['host-hot', celsius],
  ] as const) {
    const before = value === undefined ? was(code) : undefined;
    // It cannot be read any more, so nobody has seen its end.
    if (before !== undefined) recovers(code, before.text);
  }
  if (disk !== undefined && disk.sizeBytes > 0) {
    const percent = (disk.freeBytes / disk.sizeBytes) * 100;
    const { diskLowPercent: low, diskGoodPercent: good } = limits;
    if (isLow(percent, { low, good }, was('disk-low') !== undefined)) {
      const free = `${rounded(percent)}% (${rounded(disk.freeBytes / gib)} GiB) free`;
      recovers('disk-low', `disk low: ${free}, recovers at ${Math.max(low, good)}%`);
    }
  }
  if (celsius !== undefined) {
    const { hotCelsius: hot, coolCelsius: cool } = limits;
    if (isHot(celsius, { hot, cool }, was('host-hot') !== undefined)) {
      const good = `recovers below ${Math.min(hot, cool)} °C`;
      recovers('host-hot', `the machine is too hot: ${rounded(celsius)} °C, ${good}`);
    }
  }
  if (host.isUnderVoltage) {
    recovers('under-voltage', 'under-voltage: the power supply or cable is too weak');
  }
  if (host.isThrottled)
    recovers('throttled', 'the CPU is throttled because of heat or a weak power supply');
  if (offset !== undefined) {
    const most = limits.clockOffsetSeconds;
    // Half of it: a clock that is being adjusted passes the limit once, and does not flap.
    if (Math.abs(offset) > (was('clock-off') === undefined ? most : most / 2)) {
      const which = offset > 0 ? 'ahead of' : 'behind';
      const text = `the clock is ${rounded(Math.abs(offset))} s ${which} the jumphost's`;
      found.push({ verdict: 'quarantined', code: 'clock-off', text });
    }
  }
  return found;
}
