/** The subject of an alert, such as a machine or a switch: the console shows the alert on the card of that name. */

/** More specific ones first. A phone's `device` is at its machine, and `job` is often only the service that has measured. */
const labelsOfSubject = ['cause', 'machine', 'device', 'controller', 'service', 'job', 'alertname'];

type Texts = Readonly<Record<string, string | undefined>>;

/** The page of the console that an alert is about: its incident, whose ID is an annotation, or its machine. */
export function pageOf({ labels, annotations }: { labels: Texts; annotations: Texts }): string {
  const subject = encodeURIComponent(subjectOf(labels).toWellFormed());
  if (annotations.incident) return `incident/${encodeURIComponent(annotations.incident)}`;
  return labels.machine && !labels.cause ? `machine/${subject}` : `rack?card=${subject}`;
}

/** Empty if no label names it. */
export function subjectOf(labels: Texts): string {
  return labelsOfSubject.map((label) => labels[label]).find(Boolean) ?? '';
}
