import { expect, it } from 'vitest';
import { mergedHosts } from './settings.ts';

const wanted = '127.0.0.1 localhost\n127.0.1.1 host02.lan host02\n10.1.1.2\thost01.lan host01\n';

it('the names of a person stay in /etc/hosts, and ours are there once', () => {
  const previous =
    '127.0.0.1 localhost\n127.0.1.1 raspberrypi\n192.168.0.5 host01\n\n# mine\n192.168.0.9 printer # host01\n';

  const text = mergedHosts(previous, wanted);

  expect(text).toBe(`${wanted}127.0.1.1 raspberrypi\n# mine\n192.168.0.9 printer # host01\n`);
  expect(mergedHosts(text, wanted)).toBe(text);
});
