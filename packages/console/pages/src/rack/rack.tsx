import { matches } from '@skolo/api/machine-filter';
import type { Machine, RackView } from '@skolo/api/machine-state';
import type { ComponentChildren } from 'preact';
import { useEffect, useMemo, useState } from 'preact/hooks';
import { type ActionName, actions } from '../actions/actions.ts';
import { ActionButtons } from '../actions/bar.tsx';
import { openAction } from '../actions/host.tsx';
import { useLive } from '../live/store.ts';
import { useKeys } from '../parts/keys.ts';
import { go, hrefOf, type Route } from '../parts/router.ts';
import { isArrow, nextIn } from './arrows.ts';
import { Attention } from './attention.tsx';
import { Elements } from './elements.tsx';
import { filterOf } from './filter.ts';
import { FilterBar } from './filter-bar.tsx';
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
  const port = route.query.get('port') ?? undefined;
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const [focused, setFocused] = useState<string>();
  const hasPorts = useLater();
  const matching = useMemo(() => {
    const found = [...machines.values()].filter((machine) => matches(machine, filter));
    return new Set(found.map(({ name }) => name));
  }, [machines, route]);
  const order = rack.shelves
    .flatMap((shelf) => shelf.machines)
    .filter((name) => matching.has(name));
  const tabStop = focused !== undefined && matching.has(focused) ? focused : order[0];
  const linkedMachines = useMemo(() => endsOf(port, rack), [port, rack]);
  const linkedPorts = useMemo(() => {
    const wiring = focused === undefined ? undefined : machines.get(focused)?.wiring;
    return new Set([...(wiring?.uplink ? [wiring.uplink] : []), ...(wiring?.power ?? [])]);
  }, [focused, machines]);

  useInView(port, hasPorts);

  function toggle(name: string) {
    const next = new Set(chosen);
    if (!next.delete(name)) next.add(name);
    setChosen(next);
  }

  /** The selection, otherwise the focused tile. */
  function act(action: ActionName) {
    const names = chosen.size > 0 ? [...chosen] : focused !== undefined ? [focused] : [];
    openAction(action, names);
  }

  useRackKeys({
    begin: () => focusTile(tabStop),
    toggle: () => focused !== undefined && toggle(focused),
    choose: (all) => setChosen(new Set(all ? order : [])),
    act,
  });

  return (
    <div class="rack">
      <Attention rack={rack} machines={machines} />
      <div>
        <FilterBar
          machines={machines}
          filter={filter}
          shelves={rack.shelves.map(({ name }) => name)}
          matching={matching.size}
        />
        <Tiles onFocus={setFocused} onToggle={toggle}>
          <Shelves
            shelves={rack.shelves}
            machines={machines}
            matching={matching}
            chosen={chosen}
            linked={linkedMachines}
            tabStop={tabStop}
          />
        </Tiles>
        {hasPorts && (
          <Elements
            elements={rack.elements}
            port={port}
            linked={linkedPorts}
            isMachine={(name) => machines.has(name)}
            onPort={(next) => go(hrefOf('rack', [], { ...filter, port: next }), true)}
          />
        )}
      </div>
      {chosen.size > 0 && <Selection chosen={chosen} order={order} onChange={setChosen} />}
    </div>
  );
}

/** Shows an element whose port the address names. */
function useInView(port: string | undefined, hasPorts: boolean) {
  useEffect(() => {
    const [element = ''] = (port ?? '').split('/');
    const target = document.getElementById(`element-${element}`);
    // A port reached by Tab or a click is already visible.
    if (target && !target.contains(document.activeElement))
      target.scrollIntoView({ block: 'center' });
  }, [port, hasPorts]);
}

/** The tiles are links with their own key handling; this only moves the focus. */
function Tiles({
  onFocus,
  onToggle,
  children,
}: {
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
        if (name === undefined || !(event.ctrlKey || event.metaKey || event.shiftKey)) return;
        event.preventDefault();
        onToggle(name);
      }}
    >
      {children}
    </div>
  );
}

/** Hundreds of ports below the first screen are drawn after the tiles. */
function useLater(): boolean {
  const [isLater, setIsLater] = useState(false);
  useEffect(() => {
    let timer: number | undefined;
    // A frame's callback runs before it is painted, so the second one runs when the tiles are visible.
    let frame = requestAnimationFrame(() => {
      frame = requestAnimationFrame(() => {
        timer = window.setTimeout(() => setIsLater(true));
      });
    });
    return () => {
      cancelAnimationFrame(frame);
      clearTimeout(timer);
    };
  }, []);
  return isLater;
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
  order,
  onChange,
}: {
  chosen: ReadonlySet<string>;
  order: readonly string[];
  onChange(chosen: ReadonlySet<string>): void;
}) {
  return (
    <section class="selection" aria-label="Selection">
      <b role="status">{chosen.size} selected</b>
      <ActionButtons names={[...chosen]} />
      {order.some((name) => !chosen.has(name)) && (
        <button type="button" class="quiet" onClick={() => onChange(new Set(order))}>
          Select all {order.length} shown
        </button>
      )}
      <button type="button" class="quiet" onClick={() => onChange(new Set())}>
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

/** The machines at a port, or at any port of an element. */
function endsOf(port: string | undefined, rack: RackView): ReadonlySet<string> {
  const ends = rack.elements.flatMap(({ name, ports }) =>
    ports
      .filter((each) => port === name || port === `${name}/${each.port}`)
      .flatMap(({ powers, connects }) => [...powers, ...connects]),
  );
  return new Set(ends);
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
  tilesIn(document.body)
    .find(({ dataset }) => dataset.machine === name)
    ?.focus();
}
