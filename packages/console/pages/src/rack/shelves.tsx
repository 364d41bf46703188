import type { Machine, RackView } from '@skolo/api/machine-state';
import { useIsNarrow } from '../parts/narrow.ts';
import { hrefOf } from '../parts/router.ts';
import { useMinute } from '../parts/time.tsx';
import { shortened, shortNames } from './short-names.ts';
import { longestBesideAge, Tile } from './tile.tsx';

/** With more machines than this, tiles are small, so that all fit on a laptop's screen. */
const denseFrom = 120;

/** The shelves as arranged in the room. A machine hidden by the filter is an empty place; a shelf without others is hidden. */
export function Shelves({
  shelves,
  machines,
  matching,
  chosen,
  tabStop,
}: {
  shelves: RackView['shelves'];
  machines: ReadonlyMap<string, Machine>;
  matching: ReadonlySet<string>;
  chosen: ReadonlySet<string>;
  tabStop: string | undefined;
}) {
  const isNarrow = useIsNarrow();
  const now = useMinute();
  return (
    <div class={isNarrow || machines.size > denseFrom ? 'shelves dense' : 'shelves'}>
      {shelves.map((shelf) => {
        if (!shelf.machines.some((name) => matching.has(name))) return null;
        const short = shortNames(shelf.machines);
        const here = shelf.machines.flatMap((name, i) => {
          const machine = machines.get(name);
          return machine ? [{ machine, label: shortened(machine.label ?? short[i] ?? name) }] : [];
        });
        const isWide = here.some(({ label }) => label.length > longestBesideAge);
        const well = here.filter(({ machine }) => machine.condition === 'ok').length;
        return (
          <section class="shelf" key={shelf.name} aria-label={shelf.name}>
            <h2>
              <a href={hrefOf('rack', [], { shelf: shelf.name })} title={shelf.name}>
                {shelf.name}
              </a>
              <small>
                {well}/{here.length} ok
              </small>
            </h2>
            <ul class={isWide ? 'tiles wide' : 'tiles'}>
              {here.map(({ machine, label }) => (
                <li key={machine.name}>
                  {matching.has(machine.name) ? (
                    <Tile
                      machine={machine}
                      label={label}
                      isWide={isWide}
                      now={machine.condition === 'ok' ? 0 : now}
                      isChosen={chosen.has(machine.name)}
                      isTabStop={machine.name === tabStop}
                    />
                  ) : (
                    <span class="empty" />
                  )}
                </li>
              ))}
            </ul>
          </section>
        );
      })}
    </div>
  );
}
