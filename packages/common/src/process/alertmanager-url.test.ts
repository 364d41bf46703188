import { readFileSync } from 'node:fs';
import { peer, startDnsmasq } from '@skolo/simulators';
import { expect, it, onTestFinished } from 'vitest';
import { alertmanagerUrl, isAlertmanagerAt, withServiceAddress } from './alertmanager-url.ts';

const url = 'http://alertmanager.skolo.svc:9093';

it.each([
  [undefined, '10.43.0.1', url],
  [undefined, '', undefined],
  ['none', '10.43.0.1', undefined],
  ['http://192.168.1.8:9093', '10.43.0.1', 'http://192.168.1.8:9093'],
  ['http://127.0.0.1:9093', '', 'http://127.0.0.1:9093'],
])('%s in rack.yaml, with the API server at %s: %s', (alertmanager, apiServer, expected) => {
  const rack = alertmanager === undefined ? {} : { alertmanager };

  expect(alertmanagerUrl(rack, apiServer)).toBe(expected);
});

it('the default is the Service in kube/base, and its name in alerts', () => {
  const read = (name: string) =>
    readFileSync(new URL(`../../../../kube/base/alertmanager/${name}`, import.meta.url), 'utf8');

  const [, name] = /--web\.external-url=(\S+)/.exec(read('deployment.yaml')) ?? [];
  expect(isAlertmanagerAt(url, name)).toBe(true);
  expect(isAlertmanagerAt('http://127.0.0.1:9093', name)).toBe(false);
  expect(isAlertmanagerAt('http://127.0.0.1:9093', 'http://127.0.0.1:9093/')).toBe(true);
  expect(isAlertmanagerAt(url, undefined)).toBe(false);
  expect(read('service.yaml')).toMatch(/name: alertmanager[\s\S]* port: 9093,/);
});

it('pods find Services by cluster DNS', async ({ skip }) => {
  if (peer('dnsmasq') === undefined) return skip('dnsmasq is not installed');
  const names = '--address=/alertmanager.skolo.svc.cluster.local/127.0.0.9';
  const { address: dns, stop } = await startDnsmasq([names]);
  onTestFinished(stop);

  const found = [
    `${url}/am`,
    'http://alertmanager.skolo.svc',
    'http://alertmanager.skolo.svc.cluster.local:9093',
    'https://alertmanager.skolo.svc:9093',
    'http://alertmanager.example.com:9093',
  ].map((each) => withServiceAddress(each, dns));

  expect(await Promise.all(found)).toEqual([
    'http://127.0.0.9:9093/am',
    'http://127.0.0.9',
    'http://127.0.0.9:9093',
    'https://alertmanager.skolo.svc:9093',
    'http://alertmanager.example.com:9093',
  ]);
  expect(await withServiceAddress(url, '')).toBe(url);
  await expect(withServiceAddress('http://other.skolo.svc', dns)).rejects.toThrow(
    /other\.skolo\.svc/,
  );
});
