/** Names with their values. A name without one is left out. */
import type { ComponentChildren } from 'preact';

export function Facts({ rows }: { rows: readonly [string, ComponentChildren][] }) {
  const present = rows.filter(([, value]) => value || value === 0);
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
