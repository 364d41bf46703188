/** One device of a rack attacks the service that reads it. The service survives, and another device is switched or backed up meanwhile. */
import { expect, it } from 'vitest';
import { type AttackedService, type Attacker, attack } from './attacked-service.ts';

const mebibyte = 2 ** 20;
const prompt = '(switch) #';
/** Just less than a configuration may be, so that all of it is compared and stored. */
const whole = 'model: generic, prompt: "#", commands: [show]';

it.each<[service: AttackedService, what: string, Attacker]>([
  [
    'power-cycle-daemon',
    '31 MiB of line ends',
    { transport: 'ssh', pattern: 'line ends', bytes: 31 * mebibyte, prompt },
  ],
  [
    'power-cycle-daemon',
    '60,000 packets of one byte',
    { transport: 'ssh', pattern: 'one-byte escape sequences', bytes: 60_000, prompt },
  ],
  [
    'power-cycle-daemon',
    '1 MB of unclosed tags',
    { transport: 'http', pattern: 'open tags', bytes: 1_000_000 },
  ],
  [
    'router-backup',
    '400,000 empty lines',
    { transport: 'ssh', pattern: 'line ends', bytes: 795_000, entry: whole },
  ],
  [
    'router-backup',
    'one line of 30 MiB',
    { transport: 'ssh', pattern: 'words', bytes: 30 * mebibyte, entry: whole },
  ],
])('%s outlives %s', { timeout: 180_000 }, async (service, _what, attacker) => {
  const outcome = await attack(service, [attacker], 5);

  if (outcome === undefined) return;
  expect(outcome).toMatchObject({ exited: undefined, health: { failed: 0 } });
  expect(outcome.peak).toBeLessThan(0.8);
});
