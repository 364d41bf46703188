import { matching } from '@skolo/api/machine-filter';
import type { Machine, RackView } from '@skolo/api/machine-state';
import { Component } from 'preact';
import { useMemo } from 'preact/hooks';
import { useLive } from '../live/store.ts';
import { Condition } from '../parts/condition.tsx';
import { MachineLink } from '../parts/links.tsx';
import { go, hrefOf, type Route } from '../parts/router.ts';
import { span, useMinute } from '../parts/time.tsx';
import { filterOf } from '../rack/filter.ts';
import { FilterBar } from '../rack/filter-bar.tsx';
import { columns, sorted, taskOf } from './columns.ts';
import { csvOf } from './csv.ts';

/** All machines with their readings, sorted by any column. */
export function Machines({ route }: { route: Route }) {
  const rack = useLive((live) => live.rack);
  const machines = useLive((live) => live.machines);
  const now = useMinute();
  const sort = route.query.get('sort') ?? '';
  const shown = useMemo(
    () => sorted(matching([...machines.values()], filterOf(route.query)), sort),
    [machines, route],
  );
  if (!rack) return <p class="muted loading">Loading …</p>;
  return (
    <>
      <h1>Machines</h1>
      <FilterBar route={route} machines={machines} matching={shown.length}>
        <button type="button" onClick={() => download(rack, shown)}>
          Download CSV
        </button>
        <a class="button" href={hrefOf('rack', [], filterOf(route.query))}>
          Tiles
        </a>
      </FilterBar>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it may scroll */}
      <section class="table machines" tabIndex={0} aria-label="Machines">
        <table>
          <Head route={route} sort={sort} />
          <tbody>
            {shown.map((machine) => (
              <Row key={machine.name} machine={machine} now={now} />
            ))}
          </tbody>
        </table>
      </section>
    </>
  );
}

function Head({ route: { view, query }, sort }: { route: Route; sort: string }) {
  const others = Object.fromEntries(query);
  return (
    <thead>
      <tr>
        {columns.map(({ key, title, unit }) => {
          const isUp = sort === key;
          const isDown = sort === `-${key}`;
          const next = isUp ? `-${key}` : key;
          return (
            <th
              key={key}
              scope="col"
              class={unit && 'number'}
              aria-sort={isUp ? 'ascending' : isDown ? 'descending' : 'none'}
            >
              <button
                type="button"
                class="quiet"
                onClick={() => go(hrefOf(view, [], { ...others, sort: next }), true)}
              >
                {title}
                <span aria-hidden="true">{isUp ? ' ▲' : isDown ? ' ▼' : ''}</span>
              </button>
            </th>
          );
        })}
      </tr>
    </thead>
  );
}

interface RowProps {
  machine: Machine;
  /** In milliseconds since 1970, to the minute. */
  now: number;
}

/** A class, because hundreds of them compare their props before rendering. */
class Row extends Component<RowProps> {
  override shouldComponentUpdate({ machine, now }: Readonly<RowProps>): boolean {
    return machine !== this.props.machine || now !== this.props.now;
  }

  override render() {
    const { machine, now } = this.props;
    const ago = (time: string | number | undefined) =>
      typeof time === 'string' ? span(now - Date.parse(time)) : '';
    const { word, at } = taskOf(machine);
    const cells = columns.map(({ key, title, unit, of }) => {
      const value = of(machine);
      switch (key) {
        case 'name':
          return (
            <th key={key} scope="row">
              <MachineLink name={machine.name} />
            </th>
          );
        case 'condition':
          return (
            <td key={key}>
              {machine.condition === 'ok' ? value : <Condition condition={machine.condition} />}
            </td>
          );
        default:
          return (
            <td key={key} data-label={title} class={unit && 'number'}>
              {key === 'since' ? ago(value) : key === 'task' ? word && `${word} ${ago(at)}` : value}
              {value !== undefined && unit}
            </td>
          );
      }
    });
    return <tr>{cells}</tr>;
  }
}

function download({ rack }: RackView, machines: readonly Machine[]): void {
  const rows = machines.map((machine) => columns.map(({ of }) => of(machine)));
  const text = csvOf([columns.map(({ key }) => key), ...rows]);
  const url = URL.createObjectURL(new Blob([text], { type: 'text/csv;charset=utf-8' }));
  const link = document.createElement('a');
  link.href = url;
  link.download = `${rack}-machines.csv`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 1000);
}
