/** Arrow keys among tiles, by their positions on the screen. */

type Arrow = 'ArrowUp' | 'ArrowDown' | 'ArrowLeft' | 'ArrowRight';

export function isArrow(key: string): key is Arrow {
  return ['ArrowUp', 'ArrowDown', 'ArrowLeft', 'ArrowRight'].includes(key);
}

/** The next element in a direction: left and right in reading order, up and down the nearest one. */
export function nextIn(
  key: Arrow,
  from: HTMLElement,
  all: readonly HTMLElement[],
): HTMLElement | undefined {
  const at = all.indexOf(from);
  if (key === 'ArrowLeft') return all[at - 1];
  if (key === 'ArrowRight') return all[at + 1];
  const { left, top } = from.getBoundingClientRect();
  const down = key === 'ArrowDown';
  let best: { element: HTMLElement; rows: number; columns: number } | undefined;
  for (const element of all) {
    const box = element.getBoundingClientRect();
    const rows = down ? box.top - top : top - box.top;
    if (rows < 1) continue;
    const columns = Math.abs(box.left - left);
    if (
      !best ||
      rows < best.rows - 1 ||
      (Math.abs(rows - best.rows) <= 1 && columns < best.columns)
    ) {
      best = { element, rows, columns };
    }
  }
  return best?.element;
}
