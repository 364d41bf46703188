import { type Row, rowsOf } from './unified.ts';

/** A unified diff in two columns. `-` and `+` mark changes without relying on colour. */
export function SideBySide({ diff }: { diff: string }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls
    <section class="diff" tabIndex={0} aria-label="Difference">
      <table>
        <colgroup>
          <col class="line-number" />
          <col />
          <col class="line-number" />
          <col />
        </colgroup>
        <thead>
          <tr>
            <th scope="col" colSpan={2}>
              older
            </th>
            <th scope="col" colSpan={2}>
              newer
            </th>
          </tr>
        </thead>
        <tbody>
          {rowsOf(diff).map((row, i) => (
            // The rows of a diff never move.
            <DiffRow key={i} row={row} />
          ))}
        </tbody>
      </table>
    </section>
  );
}

function DiffRow({ row }: { row: Row }) {
  if ('gap' in row) {
    return (
      <tr class="gap">
        <td colSpan={4}>{row.gap}</td>
      </tr>
    );
  }
  const { older, newer } = row;
  const isSame = older?.text === newer?.text;
  return (
    <tr>
      <td class="line-number">{older?.number}</td>
      <td class={isSame ? '' : older ? 'minus' : 'none'}>{older?.text}</td>
      <td class="line-number">{newer?.number}</td>
      <td class={isSame ? '' : newer ? 'plus' : 'none'}>{newer?.text}</td>
    </tr>
  );
}
