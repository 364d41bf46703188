/** What of an alert tells a person most. */
import type { Style } from '../../output/style.ts';

type Texts = Readonly<Record<string, string>>;

/** The thing that it is about. */
export function whichOf(labels: Texts): string | undefined {
  return labels.instance ?? labels.machine ?? labels.device ?? labels.pod ?? labels.job;
}

export function alertSummary(annotations: Texts): string | undefined {
  return annotations.summary ?? annotations.description ?? annotations.message;
}

export function severityStyle(severity: string | undefined): Style | undefined {
  if (severity === 'critical' || severity === 'page') return 'red';
  return severity === 'warning' ? 'yellow' : undefined;
}
