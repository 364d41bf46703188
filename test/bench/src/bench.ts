import { comparison } from './comparison.ts';

/** One bench: what it measures and how. */
export interface Bench {
  /** Also the `bench` field of its lines and what `--only` takes. */
  name: string;
  /** `1/s`, `ms`, `MiB`, … */
  unit: string;
  better: 'higher' | 'lower';
  /** Throws `NotRun` when something that it needs is not installed. */
  measure(): Promise<Measurement>;
}

type Measure = Bench['measure'];

/** A bench whose lower figures are better. */
export function lower(name: string, unit: string, measure: Measure): Bench {
  return { name, unit, better: 'lower', measure };
}

/** A bench whose higher figures are better. */
export function higher(name: string, unit: string, measure: Measure): Bench {
  return { name, unit, better: 'higher', measure };
}

/** What a bench found, in its own unit. */
export interface Measurement {
  figure: number;
  /** Figures of peers, by their name, measured in the same run; each makes a line of its own. */
  against?: Record<string, number>;
  /** Peers that could not be measured, and why; named in the table. */
  notRun?: Record<string, string>;
}

/** A bench that cannot run here: the message names what is missing. */
export class NotRun extends Error {
  constructor(why: string) {
    super(why);
    this.name = 'NotRun';
  }
}

/** Our figure beside that of one peer, or why the peer did not run. */
export async function beside(
  figure: number,
  peer: string,
  measure: () => Promise<number>,
): Promise<Measurement> {
  if (comparison.isAlone) return { figure };
  try {
    return { figure, against: { [peer]: await measure() } };
  } catch (error) {
    if (!(error instanceof NotRun)) throw error;
    return { figure, notRun: { [peer]: error.message } };
  }
}

/** One line of `--json`. */
export interface Line {
  bench: string;
  figure: number;
  unit: string;
  better: 'higher' | 'lower';
  against?: string;
  theirs?: number;
  /** Ours over theirs, whichever is better. */
  ratio?: number;
  /** Of the service, while a comparison with a commit measures it. */
  processorSeconds?: number;
}

/** A line for each peer, or one without peers. */
export function linesOf(
  { name, unit, better }: Pick<Bench, 'name' | 'unit' | 'better'>,
  { figure, against = {} }: Measurement,
): Line[] {
  const { isAlone, processorSeconds } = comparison;
  const ours = {
    ...{ bench: name, figure: rounded(figure), unit, better },
    ...(isAlone && { processorSeconds }),
  };
  const peers = Object.entries(against);
  if (peers.length === 0) return [ours];
  return peers.map(([peer, theirs]) => ({
    ...ours,
    against: peer,
    theirs: rounded(theirs),
    ratio: Number((figure / theirs).toFixed(3)),
  }));
}

/** Four significant digits: a machine shared with others gives no more. Whole numbers stay whole. */
export function rounded(figure: number): number {
  return Math.abs(figure) >= 1000 ? Math.round(figure) : Number(figure.toPrecision(4));
}
