/** Notices look like alerts, for consumers that only know alerts. */
import type { Notice, NoticeMessage } from './message.ts';

const names: Record<Notice, string> = {
  gap: 'AlertDeliveryGap',
  truncated: 'AlertDeliveryTruncated',
  'dead-letters': 'AlertDeliveryDeadLetters',
  damaged: 'AlertDeliveryDamaged',
  dropped: 'AlertDeliveryDropped',
};

export function labelsOf(notice: Notice): { alertname: string; severity: string } {
  return { alertname: names[notice], severity: 'warning' };
}

export function alertOfNotice({ notice, text, facts }: NoticeMessage): {
  labels: Record<string, string>;
  annotations: Record<string, string>;
} {
  const texts = Object.entries(facts).map(([name, fact]) => [name, String(fact)]);
  return {
    labels: labelsOf(notice),
    annotations: { ...Object.fromEntries(texts), summary: text, description: text },
  };
}
