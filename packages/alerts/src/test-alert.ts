/** An alert that somebody sends to see whether it arrives. */

/** The label that makes an alert a test, with any value: it says nothing about whether Prometheus lives. */
export const testLabel = 'skolo_test';

export function isTest(labels: Readonly<Record<string, string>>): boolean {
  return Object.hasOwn(labels, testLabel);
}
