import type { Machine } from '@skolo/api/machine-state';
import { conditionWord } from '@skolo/api/silence';
import { count } from '@skolo/base/count';
import type { ComponentChildren } from 'preact';
import { Condition, conditions } from '../parts/condition.tsx';
import { go, hrefOf, type Route } from '../parts/router.ts';
import { SearchField } from '../parts/search-field.tsx';
import { type Filter, filterOf } from './filter.ts';

/** Which machines a page shows: by condition, and by words. */
export function FilterBar({
  route: { view, query },
  machines,
  matching,
  children,
}: {
  route: Route;
  machines: ReadonlyMap<string, Machine>;
  matching: number;
  children: ComponentChildren;
}) {
  const all = [...machines.values()];
  const filter = filterOf(query);
  const { condition: chosen, text, ...others } = filter;
  const isFiltered = Object.keys(filter).length > 0;
  /** The link with another filter, and whatever else it contains. */
  const linkTo = (change: { [K in keyof Filter]: string | undefined }) =>
    hrefOf(view, [], { ...Object.fromEntries(query), ...change });
  return (
    <section class="filter" aria-label="Filter">
      <ul class="counts">
        {[...Map.groupBy(conditions, conditionWord)].map(([word, [condition = 'ok']]) => {
          const number = all.filter((each) => conditionWord(each.condition) === word).length;
          const isOn = chosen === word;
          if (number === 0 && !isOn) return null;
          return (
            <li key={word}>
              <a
                class={isOn ? 'on' : ''}
                aria-current={isOn ? 'true' : undefined}
                href={linkTo({ condition: isOn ? undefined : word })}
              >
                <b>{number}</b> <Condition condition={condition} />
              </a>
            </li>
          );
        })}
        {Object.entries(others).map(([key, value]) => (
          <li key={key}>
            <a class="on" aria-current="true" href={linkTo({ [key]: undefined })}>
              {key} {value} ✕
            </a>
          </li>
        ))}
      </ul>
      <div class="choices">
        <SearchField
          label="Shelf, model, port …"
          text={text}
          onText={(words) => go(linkTo({ text: words }), true)}
        />
        {children}
        <span class="muted" role="status">
          {isFiltered && `${matching} of ${count(all.length, 'machine')}`}
        </span>
        {isFiltered && <a href={hrefOf(view)}>Show all</a>}
      </div>
    </section>
  );
}
