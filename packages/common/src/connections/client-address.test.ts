import { describe, expect, it } from 'vitest';
import { inNetworks, normaliseAddress } from './client-address.ts';

it.each([
  ['192.168.1.9', '192.168.1.9'],
  ['::ffff:192.168.1.9', '192.168.1.9'],
  ['::FFFF:c0a8:0109', '192.168.1.9'],
  ['fe80::1%eth0', 'fe80::1'],
  ['FD00:0:0:0:0:0:0:1', 'fd00::1'],
  ['::1', '::1'],
  ['127.1', undefined],
  ['127.0.0.01', undefined],
  ['0x7f.0.0.1', undefined],
  ['', undefined],
  ['localhost', undefined],
])('normaliseAddress: %s is %s', (text, normal) => {
  expect(normaliseAddress(text)).toBe(normal);
});

describe('inNetworks', () => {
  const isIn = inNetworks(['192.168.1.0/24', '10.0.0.7', 'fd00::/8']);

  it.each([
    ['192.168.1.200', true],
    ['::ffff:192.168.1.200', true],
    ['192.168.2.1', false],
    ['10.0.0.7', true],
    ['10.0.0.8', false],
    ['fd12::9%eth1', true],
    ['fe80::1', false],
    ['unknown', false],
  ])('%s: %s', (address, expected) => {
    expect(isIn(address)).toBe(expected);
  });

  it('does not take every IPv4 address for a part of ::/0', () => {
    expect(inNetworks(['::/0'])('10.0.0.1')).toBe(false);
  });

  it('rejects what is no network', () => {
    expect(() => inNetworks(['rack4'])).toThrow();
  });
});
