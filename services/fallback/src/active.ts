/**
 * `active gate|guard --rack NAME --address ADDRESS --device INTERFACE`: keeps two computers from being the jumphost at once. It is a
 * program of its own because it runs before the network is up, and loads neither rack.yaml nor anything of Kubernetes.
 *
 * `gate` ends with 0 as soon as this computer may serve, and with 3 if another one has replaced it. `guard` runs beside the services.
 * It ends with 3 after it has released them.
 */
import { parseArgs } from 'node:util';
import { type ActiveOptions, readOwn, tellPower } from './active/files.ts';
import { askHolderEverySeconds, holderPatienceSeconds, waitForAddress } from './active/gate.ts';
import { release, untilRetired } from './active/guard.ts';
import { readRetired, writeRetired } from './active/retired.ts';

const text = { type: 'string' } as const;
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rack: text,
    address: text,
    device: text,
    root: { ...text, default: '/' },
    every: text,
    patience: text,
  },
});
const { rack, address, device, root, every, patience } = values;
const [command] = positionals;
const isComplete = rack !== undefined && address !== undefined && device !== undefined;
if (!isComplete || (command !== 'gate' && command !== 'guard')) {
  console.error('usage: active gate|guard --rack NAME --address ADDRESS --device INTERFACE');
  process.exit(2);
}
const replaced = 3;
const why = `another computer has replaced this one as the jumphost of ${rack}`;
const everySeconds = Number(every ?? askHolderEverySeconds);
const patienceSeconds = Number(patience ?? holderPatienceSeconds);
const options: ActiveOptions = { rack, address, device, root, everySeconds, patienceSeconds };
const own = await readOwn(options);
const before = await readRetired(options, own);
// Forgets a conflict of an earlier boot before the power-cycle daemon reads it.
await tellPower(options, {}).catch(() => undefined);
if (command === 'guard') {
  const by = before ?? (await untilRetired(options, own));
  console.log(`${why}, so this computer releases the address, and stops k3s and power control`);
  await release(options, by);
  process.exit(replaced);
}
const by = before ?? (await waitForAddress(options, own, console.log));
if (by === undefined) process.exit(0);
console.log(
  `${why}, so this computer no longer acts as the jumphost. Reinstall Debian before you use this computer again`,
);
// A full disk is no reason to serve.
await writeRetired(options, by).catch((error: unknown) => console.error(String(error)));
process.exit(replaced);
