import type { Machine } from '@skolo/api/machine-state';
import { useMinute } from '../parts/time.tsx';
import { shortened, shortNames } from './short-names.ts';
import { longestBesideAge, Tile } from './tile.tsx';

/** Some machines, outside of their shelves: they turn green while one watches. */
export function TileList({
  machines,
  isTabStop,
}: {
  machines: readonly Machine[];
  isTabStop: boolean;
}) {
  const now = useMinute();
  const short = shortNames(machines.map(({ name }) => name));
  const labels = machines.map(({ label, name }, at) => shortened(label ?? short[at] ?? name));
  const isWide = labels.some(({ length }) => length > longestBesideAge);
  return (
    <ul class={isWide ? 'tiles wide' : 'tiles'} aria-label="Machines">
      {machines.map((machine, at) => (
        <li key={machine.name}>
          <Tile
            machine={machine}
            label={labels[at] ?? ''}
            isWide={isWide}
            now={machine.condition === 'ok' ? 0 : now}
            isChosen={false}
            isTabStop={isTabStop}
          />
        </li>
      ))}
    </ul>
  );
}
