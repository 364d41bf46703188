/**
 * `npm run outdated [-- --days N]`: prints what in docs/reference/calendar.yaml ends or is due within N days (90 by default), and exits with 1
 * if something is overdue. It does not use the network.
 *
 * --today DAY   instead of the clock, such as 2027-05-01
 */
import { parseArgs } from 'node:util';
import { root } from '../node.mjs';
import { dueDays } from './calendar.mjs';

const { values } = parseArgs({
  options: {
    days: { type: 'string', default: '90' },
    today: { type: 'string', default: new Date().toISOString().slice(0, 10) },
  },
});
const last = new Date(Date.parse(values.today) + Number(values.days) * 86_400_000);
const end = last.toISOString().slice(0, 10);
const days = dueDays(root);
const due = days.filter(({ day }) => day <= end);
for (const { day, what, do: how } of due) {
  console.log(`${day}${day < values.today ? ' OVERDUE' : ''}: ${what}; ${how}`);
}
const next = days.find(({ day }) => day > end);
console.log(next ? `next: ${next.day}: ${next.what}` : 'nothing after that');
process.exitCode = due.some(({ day }) => day < values.today) ? 1 : 0;
