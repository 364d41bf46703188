import { machinePartOf, parseRack } from '@skolo/rack';
import { expect, it } from 'vitest';
import { botSettingsOf } from './bot-settings.ts';

function settingsOf(name: string, settings = '{}', own = '{}') {
  const text = `
rack: rack4
network: { subnet: 127.0.0.0/8 }
jumphost: { name: jumphost, address: 127.0.0.1 }
machines: { ${name}: { kind: rpi, address: 127.0.1.1, swarming: ${own} } }
services: { swarming-client: ${settings} }
`;
  const rack = parseRack(text, { file: 'rack.yaml' });
  const machine = rack.machines.get(name);
  if (machine === undefined) throw new Error(`no ${name}`);
  return botSettingsOf(machinePartOf(rack, machine));
}

function serverOf(...args: Parameters<typeof settingsOf>): string | undefined {
  const settings = settingsOf(...args);
  return typeof settings === 'object' ? settings.server : settings;
}

it.each([
  ['skia-i-gpu-1', 'https://chrome-swarming.appspot.com'],
  ['skia-d-test-1', 'https://chromium-swarm-dev.appspot.com'],
  ['skia-rpi2-rack4-shelf1-001', 'https://chromium-swarm.appspot.com'],
])('%s has its server by its name, as the fleet always had', (name, server) => {
  expect(serverOf(name)).toBe(server);
});

it('takes the server of rack.yaml, and first of all that of the machine', () => {
  const own = '{ server: "https://own.example.com/" }';
  const all = '{ server: "https://all.example.com" }';
  expect(serverOf('skia-i-1', all)).toBe('https://all.example.com');
  expect(serverOf('skia-i-1', all, own)).toBe('https://own.example.com');
});

it('takes the first rule that fits, and none where none does', () => {
  const rules = '{ servers: [{ prefix: a, server: "https://a.example.com" }] }';
  expect(serverOf('a-1', rules)).toBe('https://a.example.com');
  expect(serverOf('b-1', rules)).toBeUndefined();
});

it('has no bot with `bot: none`, for all machines or for one', () => {
  const server = 'server: "https://all.example.com"';

  expect(settingsOf('a-1', '{ bot: none }')).toBe('none');
  expect(settingsOf('a-1', `{ ${server} }`, '{ bot: none }')).toBe('none');
  expect(serverOf('a-1', `{ ${server}, bot: none }`, '{ bot: swarming }')).toBe(
    'https://all.example.com',
  );
});
