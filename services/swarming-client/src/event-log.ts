/** The log lines of events. Parts only log problems of their own work. */
import type { EventLog } from '@skolo/common/light';
import type { AgentEvent } from './events.ts';
import { healthText } from './health/health.ts';

/** Logged with all fields of the event. */
const plain: Partial<Record<AgentEvent['type'], [level: 'info' | 'warn', message: string]>> = {
  'bot-started': ['info', 'bot started'],
  'bot-not-started': ['warn', 'bot could not be started'],
  'bot-exited': ['info', 'bot ended'],
  'bot-restarting': ['info', 'bot will stop once it is idle'],
  'bot-silent': ['warn', 'bot is not calling its hooks'],
  'bot-downloaded': ['info', 'bot downloaded'],
  'bot-not-downloaded': ['warn', 'bot could not be downloaded'],
  'needs-attention': ['warn', 'device needs attention'],
};

export function logEvent(log: EventLog, event: AgentEvent): void {
  const { type, ...facts } = event;
  const [level, message] = plain[type] ?? [];
  if (level !== undefined && message !== undefined) log[level](facts, message);
  else if (event.type === 'device-read') logDevice(log, event);
  else if (event.type === 'health') logHealth(log, event);
  else if (event.type === 'repair-started') {
    const { device, step, round } = event.repair;
    log.info({ device, step, round, why: event.why }, 'repair step started');
  } else if (event.type === 'repair-ended') {
    const { at: _, ...ended } = event.repair;
    log.info(ended, 'repair step ended');
  }
}

function logDevice(log: EventLog, { now, before }: Extract<AgentEvent, { type: 'device-read' }>) {
  if (before.state === now.state && before.why === now.why) return;
  const { fullName: device, kind, why } = now;
  if (now.state === 'missing') log.warn({ device, kind, why }, 'device missing');
  else if (now.state === 'unknown') log.warn({ device, kind, why }, 'device cannot be checked');
  else if (before.state !== now.state) log.info({ device, kind }, 'device present');
}

function logHealth(log: EventLog, { now, before }: Extract<AgentEvent, { type: 'health' }>) {
  const codes = ({ reasons }: typeof now) => reasons.map(({ code, device }) => `${code} ${device}`);
  if (codes(before).join() === codes(now).join()) return;
  const { verdict } = now;
  const level = verdict === 'quarantined' ? 'warn' : 'info';
  log[level]({ verdict, text: healthText(now) }, 'health changed');
}
