/** A table. On a phone, each row is a block, in which cells have the names of their columns. */
import type { ComponentChildren } from 'preact';
import { useLayoutEffect, useRef } from 'preact/hooks';

/** Shorter words never break. */
const longWord = /\S{30}/;

export function Table({
  caption,
  head,
  children,
}: {
  caption: string;
  head: readonly string[];
  children: ComponentChildren;
}) {
  const body = useRef<HTMLTableSectionElement>(null);
  useLayoutEffect(() => {
    for (const cell of body.current?.querySelectorAll<HTMLTableCellElement>('th, td') ?? []) {
      const row = cell.parentElement?.children ?? [];
      // Cells that span rows are before it.
      cell.dataset.label = head[head.length - row.length + cell.cellIndex] ?? '';
      cell.classList.toggle('long', longWord.test(cell.textContent));
    }
  });
  return (
    // Focusable, because it may scroll.
    // biome-ignore lint/a11y/noNoninteractiveTabindex: see above
    <section class="table" tabIndex={0} aria-label={caption}>
      <table>
        <thead>
          <tr>
            {head.map((name) => (
              <th key={name} scope="col">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody ref={body}>{children}</tbody>
      </table>
    </section>
  );
}
