/** The values that a sink's template can use. */
import type { Message } from '../message/message.ts';
import { alertOfNotice } from '../message/notice.ts';

/**
 * The values of a message. All messages have `labels`, `annotations`, `status`, `location`, `id`, `at`, `kind`, `fingerprint` (the same for
 * all messages about one alert) and `action`, in PagerDuty's terms.
 */
export function valuesOf(message: Message, location: string): Record<string, unknown> {
  switch (message.kind) {
    case 'heartbeat': {
      const summary = message.healthy ? `${location} is healthy` : message.why;
      return {
        ...message,
        location,
        status: message.healthy ? 'healthy' : 'unhealthy',
        action: message.healthy ? 'resolve' : 'trigger',
        fingerprint: `heartbeat-${location}`,
        labels: { alertname: 'HEALTHZ', severity: message.healthy ? 'info' : 'critical' },
        annotations: { summary },
      };
    }
    case 'notice':
      return {
        ...message,
        location,
        status: 'firing',
        action: 'trigger',
        fingerprint: message.id,
        ...alertOfNotice(message),
      };
    default: {
      const { alert, ...rest } = message;
      const action = alert.status === 'resolved' ? 'resolve' : 'trigger';
      return { ...rest, ...alert, location, action };
    }
  }
}
