import { expect, it } from 'vitest';
import { quotedCommand } from './redact.ts';

it.each([
  ['show running-config', '"show running-config"'],
  ['', '""'],
  ['configure terminal\nenable password canary\nwrite memory', '"configure terminal…"'],
  ['a\r\nb', '"a…"'],
  ['x'.repeat(201), `"${'x'.repeat(200)}…"`],
])('shows %j as %s', (command, shown) => {
  expect(quotedCommand(command)).toBe(shown);
});
