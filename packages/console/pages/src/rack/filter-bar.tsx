import type { Machine } from '@skolo/api/machine-state';
import { count } from '@skolo/base/count';
import { Condition, conditions } from '../parts/condition.tsx';
import { go, hrefOf } from '../parts/router.ts';
import { codesOf, type Filter, modelsOf, valuesOf } from './filter.ts';

export function FilterBar({
  machines,
  filter,
  shelves,
  matching,
}: {
  machines: ReadonlyMap<string, Machine>;
  filter: Filter;
  shelves: readonly string[];
  matching: number;
}) {
  const all = [...machines.values()];
  const choices: readonly ['shelf' | 'model' | 'pool' | 'code', string, readonly string[]][] = [
    ['shelf', 'Shelf', shelves],
    ['model', 'Model', valuesOf(all, modelsOf)],
    ['pool', 'Pool', valuesOf(all, ({ pools }) => pools)],
    ['code', 'Reason', valuesOf(all, codesOf)],
  ];
  const isFiltered = Object.keys(filter).length > 0;
  return (
    <section class="filter" aria-label="Filter">
      <ul class="counts">
        {conditions.map((condition) => {
          const count = all.filter((machine) => machine.condition === condition).length;
          const isOn = filter.condition === condition;
          if (count === 0 && !isOn) return null;
          return (
            <li key={condition}>
              <a
                class={isOn ? 'on' : ''}
                aria-current={isOn ? 'true' : undefined}
                href={hrefOf('rack', [], { ...filter, condition: isOn ? undefined : condition })}
              >
                <b>{count}</b> <Condition condition={condition} />
              </a>
            </li>
          );
        })}
      </ul>
      <div class="choices">
        {choices.map(([key, label, values]) =>
          values.length > 1 || filter[key] ? (
            <select
              key={key}
              aria-label={label}
              value={filter[key] ?? ''}
              onChange={({ currentTarget }) =>
                go(hrefOf('rack', [], { ...filter, [key]: currentTarget.value }))
              }
            >
              <option value="">{label}: all</option>
              {values.map((value) => (
                <option key={value} value={value}>
                  {value}
                </option>
              ))}
            </select>
          ) : null,
        )}
        <input
          type="search"
          aria-label="Text in any field"
          placeholder="Filter by text"
          value={filter.text ?? ''}
          onInput={({ currentTarget }) =>
            go(hrefOf('rack', [], { ...filter, text: currentTarget.value }), true)
          }
        />
        <span class="muted" role="status">
          {isFiltered ? `${matching} of ${all.length} machines` : count(all.length, 'machine')}
        </span>
        {isFiltered && <a href={hrefOf('rack')}>Show all</a>}
      </div>
    </section>
  );
}
