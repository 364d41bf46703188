import { type ReasonedAction, reasonRequired } from '@skolo/api/reasons';
import { expect, it } from 'vitest';
import { runCommand } from './testing/run-command.ts';

/** Without `--reason`, and with a service that does not exist. */
const lines: Readonly<Record<ReasonedAction, string>> = {
  cycle: 'power cycle rpi-001',
  on: 'power on rpi-001',
  off: 'power off rpi-001',
  hold: 'power hold rpi-001',
  release: 'power release rpi-001',
  cancel: 'power cancel rpi-001',
  maintenance: 'machine maintain rpi-001',
  quarantine: 'machine quarantine rpi-001',
  end: 'machine maintain rpi-001 --end',
  clear: 'machine clear rpi-001',
  repair: 'machine repair rpi-001 usb-cycle',
  reboot: 'machine reboot rpi-001',
};

it.each(Object.entries(lines))('%s requires a reason as the console does', async (action, line) => {
  const { err, exitCode } = await runCommand([...line.split(' '), '--url', 'http://127.0.0.1:1']);

  const isAskedFor = exitCode === 2 && err.includes('--reason');
  expect(isAskedFor).toBe(reasonRequired[action as ReasonedAction]);
});
