import { expect, it } from 'vitest';
import { parseRack } from '../read/load.ts';
import { loginToRead } from './login-to-read.ts';

const { equipment, logins } = parseRack(
  `rack: lab
timezone: UTC
jumphost: { name: here, address: 192.0.2.1 }
logins:
  all: { username: ann, password: p, snmp: { version: 2c, community: w }, read: readers }
  readers: { username: bob, password: q }
  pdus: { snmp: { version: 2c, community: w }, read: pdu-readers }
  pdu-readers: { snmp: { version: 2c, community: r } }
  alone: { username: ann, password: p }
equipment:
  pdu: { model: apc-rpdu, address: 192.0.2.2, login: pdus }
  pdu-of-all: { model: apc-rpdu, address: 192.0.2.3, login: all }
  mikrotik: { model: routeros, address: 192.0.2.4, login: all }
  cisco: { model: cisco-ios, address: 192.0.2.5, login: all }
  other: { model: routeros, address: 192.0.2.6, login: alone }
`,
  { file: '/rack.yaml' },
);

it.each([
  ['pdu', 'outlets', 'pdu-readers', 'SNMP requires only a community that may read'],
  ['pdu', 'configuration', 'pdus', 'only an administrator reads it'],
  ['pdu-of-all', 'outlets', 'all', 'the other login has no community'],
  ['mikrotik', 'configuration', 'readers', 'a policy allows it'],
  ['mikrotik', 'outlets', 'all', 'the session would be shared'],
  ['cisco', 'configuration', 'all', 'it would not be complete'],
  ['other', 'configuration', 'alone', 'there is no other login'],
] as const)('%s: %s is read with %s: %s', (name, what, login, _why) => {
  const item = equipment.get(name);

  expect(item && loginToRead({ logins }, item, what)).toBe(login);
});
