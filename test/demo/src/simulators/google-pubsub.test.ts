import { describe, expect, it, onTestFinished } from 'vitest';
import { YamlText } from '../addresses/yaml-text.ts';
import { startPubSub } from './google-pubsub.ts';
import type { Simulator } from './simulator.ts';

const services = (settings: string) => `rack: mine # ours
services:
  alert-to-pubsub: { topic: alerts${settings} } # where alerts go
`;

async function start() {
  const simulator = await startPubSub({
    host: '127.0.0.1',
    onProblem: () => undefined,
    computer: undefined,
  });
  onTestFinished(() => simulator.close());
  return simulator;
}

function placed({ place }: Simulator, text: string): string {
  const rack = new YamlText(text);
  place?.(rack, '/');
  return rack.text;
}

describe('the simulator of Pub/Sub', () => {
  it('listens where rack.yaml has it, also where there are two of them', async () => {
    const simulators = [await start(), await start()];

    const texts = simulators.map((each) => placed(each, services(', endpoint: 127.0.0.1:8085')));

    expect(texts).toEqual(simulators.map(({ url }) => services(`, endpoint: ${url}`)));
    expect(new Set(texts).size).toBe(2);
  });

  it.each([
    { what: 'a real one', text: services(', endpoint: us-east1-pubsub.googleapis.com:443') },
    { what: 'the usual real one', text: services('') },
    { what: 'a file without services', text: 'rack: mine\n' },
    { what: 'a file that is none', text: 'services: [broken\n  alert-to-pubsub: {' },
  ])('leaves $what alone', async ({ text }) => {
    expect(placed(await start(), text)).toBe(text);
  });
});
