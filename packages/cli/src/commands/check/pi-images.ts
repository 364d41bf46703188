import type { Finding } from '@skolo/base';
import { type DamagedImage, type StoredImage, storedImages, verifyImage } from '@skolo/setup/pi';
import type { SkoloCommand } from '../../command.ts';
import { imagesFolder } from '../pi/images.ts';
import { defineCheck, parted } from './check.ts';

/** `skolo check pi-images`: whether stored images still have their checksums. */
export function define(command: SkoloCommand): void {
  command
    .description(
      'Compares the images that skolo pi images fetch has stored with the checksums recorded when they were downloaded.',
    )
    .summary('verify downloaded images again')
    .argument('[names...]', 'images (default: all)')
    .uses()
    .example('skolo check pi-images');

  defineCheck(command, async (signal, names: string[]) => {
    const all = await storedImages(imagesFolder(command.io));
    const wanted = names.length === 0 ? all.map(({ name }) => name) : names;
    const findings: Finding[] = [];
    for (const name of wanted) {
      const image = all.find((each) => each.name === name);
      findings.push(await checkImage(name, image, signal));
    }
    return { name: 'images', findings };
  });
}

async function checkImage(
  thing: string,
  image: StoredImage | DamagedImage | undefined,
  signal: AbortSignal,
): Promise<Finding> {
  if (image === undefined) {
    const advice = 'run skolo pi images to list images';
    return { thing, state: 'unchecked', found: 'no such image', advice };
  }
  if ('damage' in image) return { thing, state: 'unchecked', ...parted(image.damage) };
  if (await verifyImage(image, signal)) return { thing, state: 'ok', found: 'intact' };
  const advice = `run skolo pi images delete ${thing} and download the image again`;
  return { thing, state: 'differs', found: 'damaged', advice };
}
