import { styleText } from 'node:util';

type Colour = 'red' | 'yellow' | 'dim' | 'bold';

/** For a terminal. Whether it is one is not asked here. */
export function coloured(colour: Colour, text: string): string {
  return styleText(colour, text, { validateStream: false });
}
