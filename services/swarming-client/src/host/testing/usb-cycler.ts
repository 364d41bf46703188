/** Repeatedly cycles port 1-1.2 with the uhubctl of a directory, until it is killed. */
import { join } from 'node:path';
import { runCommand } from '@skolo/base/run-command';
import { UsbPorts } from '../usb.ts';

const [folder = '', offSeconds = '0'] = process.argv.slice(2);
const run = runCommand;
const power = { hub: '1-1', port: 2 };
const quiet = () => undefined;
const usb = new UsbPorts({
  devices: () => [{ name: 'phone', fullName: 'rpi-1-phone', kind: 'android', power }],
  run: (file, args, options) => run(join(folder, file), args, options),
  log: { info: quiet, warn: quiet },
});
process.stdout.write('cycling\n');
for (;;) await usb.cycle(power, Number(offSeconds), new AbortController().signal);
