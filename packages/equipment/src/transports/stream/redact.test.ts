import { expect, it } from 'vitest';
import { quotedCommand, withoutSecrets } from './redact.ts';

it.each([
  ['show running-config', '"show running-config"'],
  ['', '""'],
  ['configure terminal\nenable password canary\nwrite memory', '"configure terminal…"'],
  ['a\r\nb', '"a…"'],
  ['x'.repeat(201), `"${'x'.repeat(200)}…"`],
])('shows %j as %s', (command, shown) => {
  expect(quotedCommand(command)).toBe(shown);
});

it.each([
  'snmp-server community canary ro',
  'snmp-server host 10.1.2.3 version 1 canary',
  'snmp-server host 10.1.2.3 traps version 2c canary',
  'snmp-server host 10.1.2.3 canary',
])('shows nothing secret of %j', (line) => {
  expect(withoutSecrets(`hostname switch-1\n${line}\nend`, [])).toMatch(
    /^hostname switch-1\nsnmp-server .*<secret>\nend$/,
  );
});
