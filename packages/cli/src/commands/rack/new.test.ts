import { expect, it } from 'vitest';
import { runCommand } from '../../testing/run-command.ts';

it.each([
  ['', 'specify a name, --jumphost NAME, --address ADDRESS, as in'],
  ['lab', 'specify --jumphost NAME, --address ADDRESS, as in'],
  ['lab --jumphost here', 'specify --address ADDRESS, as in'],
  ['lab --address 192.168.1.8/24', 'an IPv4 address without a port or prefix length'],
])('skolo rack new %s: asks for all that is missing at once', async (line, expected) => {
  const { err, exitCode } = await runCommand(['rack', 'new', ...line.split(' ').filter(Boolean)]);

  expect(err).toContain(expected);
  expect(exitCode).toBe(2);
});
