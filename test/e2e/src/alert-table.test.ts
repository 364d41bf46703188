/** docs/operate/on-call.md lists all alerts, from their rules. `npx vitest run src/alert-table.test.ts -t 'lists every' -u` writes the table. */
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { alertsIn, ruleFiles } from './rule-files.ts';

const page = fileURLToPath(new URL('../../../docs/operate/on-call.md', import.meta.url));

it('docs/operate/on-call.md lists every alert with its meaning and first command', async () => {
  const text = await readFile(page, 'utf8');
  const alerts = ruleFiles
    .flatMap(alertsIn)
    .toSorted((a, b) => (a.alert < b.alert ? -1 : a.alert > b.alert ? 1 : 0));
  const rows = alerts.map(({ alert, labels, annotations }) => {
    const { summary, first_command: command } = annotations;
    return `| ${alert} | ${labels.severity} | ${plain(summary)} | \`${plain(command)}\` |`;
  });
  const head = ['| alert | severity | meaning | first command |', '| --- | --- | --- | --- |'];
  const table = ['<!-- generated: alerts -->', '', ...head, ...rows, '', '<!-- /generated -->'];

  expect(rows.length).toBeGreaterThan(100);
  await expect(
    text.replace(/<!-- generated: alerts -->.*?<!-- \/generated -->/s, () => table.join('\n')),
  ).toMatchFileSnapshot(page);
});

/** Labels of an alert as words: RACK, MACHINE. Of a condition, what it prints without a value. */
function plain(text: string): string {
  return text
    .replaceAll(/\{\{ with .*?\{\{ else \}\}(.*?)\{\{ end \}\}/g, '$1')
    .replaceAll(/\{\{[^}]*[.$](\w+)[^}.]*\}\}/g, (_, label: string) => label.toUpperCase())
    .replaceAll('|', '\\|');
}
