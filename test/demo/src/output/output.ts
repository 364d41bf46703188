import { coloured } from './colour.ts';

/** Prints to the terminal, or wherever stdout goes. */
export interface Output {
  readonly colour: boolean;
  line(text: string): void;
  /** Something that the person should notice. */
  problem(text: string): void;
}

export function outputTo(stream: NodeJS.WriteStream): Output {
  const colour = stream.isTTY === true && !process.env.NO_COLOR;
  return {
    colour,
    line(text) {
      stream.write(`${text}\n`);
    },
    problem(text) {
      stream.write(`${colour ? coloured('red', text) : text}\n`);
    },
  };
}
