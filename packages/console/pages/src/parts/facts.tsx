/** Names with their values. */
import type { ComponentChildren } from 'preact';

export function Facts({ rows }: { rows: readonly [string, ComponentChildren][] }) {
  const present = rows.filter(([, value]) => value !== undefined && value !== '');
  return (
    <dl class="facts">
      {present.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
