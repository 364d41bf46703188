/** How often a property is tried: few in `npm test`, many in `npm run test:long`. */
export function runs(few: number): { numRuns: number; seed?: number } {
  const { SKOLO_LONG: long, SKOLO_SEED: seed } = process.env;
  return { numRuns: long ? few * 20 : few, ...(seed && { seed: Number(seed) }) };
}
