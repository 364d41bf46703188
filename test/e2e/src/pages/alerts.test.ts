/** docs/operate/alerts.md lists all alerts, from their rules. `npm run generate` writes it. */
import { expect, it } from 'vitest';
import { alertsIn, ruleFiles } from '../rule-files.ts';
import { pageAt, tableOf } from './page.ts';

it('docs/operate/alerts.md lists every alert with its meaning and first command', async () => {
  const alerts = ruleFiles
    .flatMap(alertsIn)
    .toSorted((a, b) => (a.alert < b.alert ? -1 : a.alert > b.alert ? 1 : 0));
  const rows = alerts.map(({ alert, labels, annotations }) => {
    const { summary, first_command: command } = annotations;
    // The label means the phone of a machine there.
    const device = alert.startsWith('Swarming') ? 'DEVICE' : 'EQUIPMENT';
    const shown = (text: string) => plain(text).replaceAll('DEVICE', device);
    return [alert, labels.severity, shown(summary), `\`${shown(command)}\``];
  });
  const page = `<!-- Made by \`npm run generate\` from kube/base/prometheus/rules. Do not edit. -->

# Alerts

Run an alert's first command. [On call](on-call.md) has the next steps, and the [rules](../../kube/base/prometheus/rules) the conditions.

${tableOf(['alert', 'severity', 'meaning', 'first command'], rows)}`;

  expect(rows.length).toBeGreaterThan(100);
  await expect(page).toMatchFileSnapshot(pageAt('docs/operate/alerts.md'));
});

/** Labels of an alert as words: RACK, MACHINE. Of a condition, what it prints without a value. */
function plain(text: string): string {
  return text
    .replaceAll(/\{\{ with .*?\{\{ else \}\}(.*?)\{\{ end \}\}/g, '$1')
    .replaceAll(/\{\{[^}]*[.$](\w+)[^}.]*\}\}/g, (_, label: string) => label.toUpperCase())
    .replaceAll('|', '\\|');
}
