/** A threshold with two edges: what is between them stays as it was, so that nothing flaps. */

/** Trouble below `low`, until it is at `good` again. */
export function isLow(value: number, { low, good }: { low: number; good: number }, was: boolean) {
  return was ? value < Math.max(low, good) : value < low;
}

/** Trouble above `hot`, until it is below `cool` again. */
export function isHot(value: number, { hot, cool }: { hot: number; cool: number }, was: boolean) {
  return was ? value >= Math.min(hot, cool) : value > hot;
}
