import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { swarmingSettings } from '../../rack/overrides.ts';
import { hostOfUrl, serviceMetricsUrl, serviceUrl } from '../../rack/service-urls.ts';
import { parseRack } from '../../read/load.ts';
import { exampleRack, smallRack } from '../../testing/example.ts';
import { type ServiceName, serviceNames } from '../service-ports.ts';
import { defaultSettings, settingsSchemas } from './settings.ts';

describe('the settings of services', () => {
  it.each(serviceNames)('%s works without any', (name) => {
    const settings = defaultSettings()[name];

    expect(settings).toMatchObject({ stopWithin: 10 });
    expect(settingsSchemas[name].parse(settings)).toEqual(settings);
  });

  it.each(serviceNames)('%s describes each key', (name) => {
    const undescribed = keysWithoutDescription(settingsSchemas[name], name);

    expect(undescribed).toEqual([]);
  });
});

describe('Pub/Sub', () => {
  const sinks = 'sinks: [{ name: log, kind: file, file: /var/log/alerts }]';
  const settingsOf = (settings: string, strictFor: ServiceName = 'alert-to-pubsub') => {
    const text = `rack: r\njumphost: { name: j, address: 127.0.0.1 }\nservices: { alert-to-pubsub: { ${settings} } }`;
    return parseRack(text, { file: 'x', strictFor }).services['alert-to-pubsub'];
  };

  it.each([
    ['', true],
    ['sinks: []', true],
    [sinks, false],
    [`${sinks}, project: my-project`, true],
    [`${sinks}, topic: prometheus-alerts`, true],
    [`${sinks}, credentials: default`, true],
    [`${sinks}, pubsub: true`, true],
    [`${sinks}, project: my-project, pubsub: false`, false],
  ])('with { %s }: %s', (settings, isSink) => {
    expect(settingsOf(settings).pubsub).toBe(isSink);
  });

  it('may have newer sinks, for other services', () => {
    const newer = 'pubsub: false, sinks: [{ name: a, kind: carrier-pigeon }]';

    expect(settingsOf(newer, 'metadata-server').sinks).toEqual([]);
    expect(() => settingsOf(newer)).toThrow(/carrier-pigeon/);
  });
});

describe('serviceUrl', () => {
  it('is the jumphost, where nothing else is said', () => {
    expect(serviceUrl(smallRack(), 'power-cycle-daemon')).toBe('http://192.168.1.8:9210');
    expect(serviceMetricsUrl(smallRack(), 'router-backup')).toBe('http://192.168.1.8:20011');
  });

  it('puts IPv6 in brackets', () => {
    const rack = parseRack('rack: six\njumphost: { name: jumphost, address: "fd00::8" }', {
      file: 'x',
    });

    expect(serviceUrl(rack, 'alert-to-pubsub')).toBe('http://[fd00::8]:8001');
    expect(hostOfUrl('10.0.0.1')).toBe('10.0.0.1');
  });

  it('is what rack.yaml says', () => {
    const rack = smallRack(
      'services: { metadata-server: { url: "http://127.0.0.1:8080/", metricsUrl: "https://m.example.com" } }\n',
    );

    expect(serviceUrl(rack, 'metadata-server')).toBe('http://127.0.0.1:8080');
    expect(serviceMetricsUrl(rack, 'metadata-server')).toBe('https://m.example.com');
  });

  it('is on the machine itself, for its agent', () => {
    const rack = smallRack(`machines:
  a: { kind: rpi, address: 192.168.1.101 }
  b: { kind: rpi, address: 192.168.1.102, swarming: { url: "http://127.0.0.1:41001" } }
  c: { kind: rpi }
`);
    const urls = [...rack.machines.values()].map((machine) =>
      serviceUrl(rack, 'swarming-client', machine),
    );

    expect(urls).toEqual([
      'http://192.168.1.101:11001',
      'http://127.0.0.1:41001',
      'http://c:11001',
    ]);
    expect(serviceUrl(rack, 'metadata-server', rack.machines.get('a'))).toBe(
      'http://192.168.1.8:80',
    );
  });
});

it('swarmingSettings merges maps and replaces the rest', () => {
  const rack = exampleRack();
  const machine = rack.machines.get('skia-rpi2-rack4-shelf2-001');

  const settings = machine && swarmingSettings(rack, machine);

  expect(settings?.thresholds).toMatchObject({ hotCelsius: 38, coolCelsius: 32 });
  expect(settings?.dimensions).toEqual({ sk_rack: ['rack4'] });
  expect(rack.services['swarming-client'].thresholds.hotCelsius).toBe(35);
});

function keysWithoutDescription(schema: z.core.$ZodType, path: string): string[] {
  if (
    schema instanceof z.ZodExactOptional ||
    schema instanceof z.ZodDefault ||
    schema instanceof z.ZodPrefault
  ) {
    return keysWithoutDescription(schema.unwrap(), path);
  }
  if (schema instanceof z.ZodArray) return keysWithoutDescription(schema.element, `${path}[]`);
  if (schema instanceof z.ZodPipe) return keysWithoutDescription(schema.in, path);
  if (!(schema instanceof z.ZodObject)) return [];
  return Object.entries(schema.shape).flatMap(([key, value]) => {
    const described = z.globalRegistry.get(value)?.description?.match(/[.…]$/);
    const isConst = value instanceof z.ZodLiteral;
    return [
      ...(described || isConst ? [] : [`${path}.${key}`]),
      ...keysWithoutDescription(value, `${path}.${key}`),
    ];
  });
}
