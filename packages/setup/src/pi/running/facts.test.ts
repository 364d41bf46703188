import { expect, it } from 'vitest';
import { factsText } from './facts.ts';

it.each([
  [
    {
      model: 'Raspberry Pi 3 Model B Plus Rev 1.3',
      kernel: 'aarch64',
      userland: 'armhf',
      system: 'Raspbian GNU/Linux 12 (bookworm)',
      memoryKib: 945_364,
    },
    'Raspberry Pi 3 Model B Plus Rev 1.3, 0.9 GiB, armhf on a 64-bit kernel, Raspbian 12 (bookworm)',
  ],
  [
    {
      model: '',
      kernel: 'x86_64',
      userland: 'amd64',
      system: 'Ubuntu 24.04.1 LTS',
      memoryKib: 4_000_000,
    },
    'not a Raspberry Pi, 3.8 GiB, amd64, Ubuntu 24.04.1 LTS',
  ],
])('says what a Pi is: %#', (facts, text) => {
  const others = { init: 'systemd', family: 'debian', freeKib: 1, time: 0 };
  expect(factsText({ ...facts, ...others, isTimeKnown: 'yes' })).toBe(text);
});
