/** The console's first page: what needs attention, then a tile for each machine on its shelf, and the selection of several machines. */
import { matching } from '@skolo/api/machine-filter';
import type { Machine, RackView } from '@skolo/api/machine-state';
import { count } from '@skolo/base/count';
import type { ComponentChildren } from 'preact';
import { useMemo, useState } from 'preact/hooks';
import { type ActionName, actions } from '../actions/actions.ts';
import { ActionButtons } from '../actions/bar.tsx';
import { openAction } from '../actions/host.tsx';
import { useLive } from '../live/store.ts';
import { useKeys } from '../parts/keys.ts';
import { hrefOf, type Route } from '../parts/router.ts';
import { isArrow, nextIn } from './arrows.ts';
import { Attention } from './attention.tsx';
import { filterOf } from './filter.ts';
import { FilterBar } from './filter-bar.tsx';
import { OnIt } from './on-it.tsx';
import { Shelves } from './shelves.tsx';

export function RackPage({ route }: { route: Route }) {
  const rack = useLive((live) => live.rack);
  const machines = useLive((live) => live.machines);
  if (!rack) return <p class="muted loading">Loading …</p>;
  return <Rack route={route} rack={rack} machines={machines} />;
}

function Rack({
  route,
  rack,
  machines,
}: {
  route: Route;
  rack: RackView;
  machines: ReadonlyMap<string, Machine>;
}) {
  const filter = filterOf(route.query);
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  /** Whether a tap selects a tile instead of opening its page. */
  const [isSelecting, setIsSelecting] = useState(false);
  const [focused, setFocused] = useState<string>();
  const shown = useMemo(
    () => new Set(matching([...machines.values()], filter).map(({ name }) => name)),
    [machines, route],
  );
  const order = rack.shelves.flatMap((shelf) => shelf.machines).filter((name) => shown.has(name));
  const tabStop = focused !== undefined && shown.has(focused) ? focused : order[0];

  function toggle(name: string) {
    const next = new Set(chosen);
    if (!next.delete(name)) next.add(name);
    setChosen(next);
  }

  function endSelecting() {
    setChosen(new Set());
    setIsSelecting(false);
  }

  /** The selection, otherwise the focused tile. */
  function act(action: ActionName) {
    const names = chosen.size > 0 ? [...chosen] : focused !== undefined ? [focused] : [];
    openAction(action, names);
  }

  useRackKeys({
    begin: () => focusTile(tabStop),
    toggle: () => focused !== undefined && toggle(focused),
    choose: (all) => (all ? setChosen(new Set(order)) : endSelecting()),
    act,
  });

  return (
    <div class="rack">
      <Attention rack={rack} machines={machines} about={route.query.get('card') ?? undefined} />
      <FilterBar route={route} machines={machines} matching={shown.size}>
        <button
          type="button"
          aria-pressed={isSelecting}
          onClick={() => setIsSelecting(!isSelecting)}
        >
          Select
        </button>
        <a class="button" href={hrefOf('machines', [], filter)}>
          Table
        </a>
      </FilterBar>
      <Tiles isSelecting={isSelecting} onFocus={setFocused} onToggle={toggle}>
        <Shelves
          shelves={rack.shelves}
          machines={machines}
          matching={shown}
          chosen={chosen}
          tabStop={tabStop}
        />
      </Tiles>
      {(isSelecting || chosen.size > 0) && (
        <Selection
          chosen={chosen}
          machines={[...chosen].flatMap((name) => machines.get(name) ?? [])}
          order={order}
          onChange={setChosen}
          onEnd={endSelecting}
        />
      )}
    </div>
  );
}

/** The tiles are links with their own key handling; this only moves the focus. */
function Tiles({
  isSelecting,
  onFocus,
  onToggle,
  children,
}: {
  isSelecting: boolean;
  onFocus(name: string | undefined): void;
  onToggle(name: string): void;
  children: ComponentChildren;
}) {
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: see above
    <div
      onKeyDown={onKeyDown}
      onFocusIn={({ target }) => onFocus(machineOf(target))}
      onClick={(event) => {
        const name = machineOf(event.target);
        const isMeant = isSelecting || event.ctrlKey || event.metaKey || event.shiftKey;
        if (name === undefined || !isMeant) return;
        event.preventDefault();
        onToggle(name);
      }}
    >
      {children}
    </div>
  );
}

function useRackKeys({
  begin,
  toggle,
  choose,
  act,
}: {
  begin(): void;
  toggle(): void;
  /** Everything that the filter shows, or nothing. */
  choose(all: boolean): void;
  act(action: ActionName): void;
}) {
  useKeys('Rack', [
    { key: 'ArrowDown', what: 'moves from tile to tile, as do the other arrow keys', run: begin },
    { key: ' ', what: 'selects the machine', run: toggle },
    { key: 'a', what: 'selects all machines that match the filter', run: () => choose(true) },
    { key: 'Escape', what: 'clears the selection', run: () => choose(false) },
    ...Object.entries(actions).map(([name, { key, title }]) => ({
      key,
      what: `${title} (the selected machines, or the focused one)`,
      run: () => act(name as ActionName),
    })),
  ]);
}

function Selection({
  chosen,
  machines,
  order,
  onChange,
  onEnd,
}: {
  chosen: ReadonlySet<string>;
  machines: readonly Machine[];
  order: readonly string[];
  onChange(chosen: ReadonlySet<string>): void;
  onEnd(): void;
}) {
  return (
    <section class="selection" aria-label="Selection">
      <b role="status">{chosen.size} selected</b>
      {chosen.size > 0 && (
        <>
          <ActionButtons names={[...chosen]} />
          <OnIt what={count(chosen.size, 'machine')} machines={machines} />
        </>
      )}
      {order.some((name) => !chosen.has(name)) && (
        <button type="button" class="quiet" onClick={() => onChange(new Set(order))}>
          Select all {order.length} shown
        </button>
      )}
      <button type="button" class="quiet" onClick={onEnd}>
        Clear selection
      </button>
    </section>
  );
}

function onKeyDown(event: KeyboardEvent) {
  const tile = event.target;
  if (!isArrow(event.key) || !(tile instanceof HTMLElement) || !tile.dataset.machine) return;
  event.preventDefault();
  nextIn(event.key, tile, tilesIn(event.currentTarget))?.focus();
}

function machineOf(target: EventTarget | null): string | undefined {
  const tile = target instanceof Element ? target.closest<HTMLElement>('[data-machine]') : null;
  return tile?.dataset.machine;
}

function tilesIn(container: EventTarget | null): HTMLElement[] {
  return container instanceof HTMLElement
    ? [...container.querySelectorAll<HTMLElement>('[data-machine]')]
    : [];
}

function focusTile(name: string | undefined) {
  tilesIn(document.querySelector('.shelves'))
    .find(({ dataset }) => dataset.machine === name)
    ?.focus();
}
