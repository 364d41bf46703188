/** The subject of an alert, such as a machine or a switch: the console shows the alert on the card of that name. */

/** More specific ones first. A phone's `device` is at its machine, and `job` is often only the service that has measured. */
const labelsOfSubject = ['cause', 'machine', 'device', 'controller', 'service', 'job', 'alertname'];

/** The page of the console that an alert is about: silent machines with a common cause are an incident. */
export function pageOf(labels: Readonly<Record<string, string | undefined>>): string {
  const subject = encodeURIComponent(subjectOf(labels).toWellFormed());
  return labels.cause ? `incident/${subject}` : `rack?card=${subject}`;
}

/** Empty if no label names it. */
export function subjectOf(labels: Readonly<Record<string, string | undefined>>): string {
  return labelsOfSubject.map((label) => labels[label]).find(Boolean) ?? '';
}
