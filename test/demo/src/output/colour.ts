import { styleText } from 'node:util';

type Colour = 'red' | 'yellow' | 'dim' | 'bold';

/** For a terminal. The caller checks whether it is one. */
export function coloured(colour: Colour, text: string): string {
  return styleText(colour, text, { validateStream: false });
}
