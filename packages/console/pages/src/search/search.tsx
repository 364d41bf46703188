import { useMemo, useState } from 'preact/hooks';
import { useLive } from '../live/store.ts';
import { go, hrefOf } from '../parts/router.ts';
import { type Found, find } from './find.ts';

/** The search field, a combobox (WAI-ARIA APG): the focus stays in the field, and the arrow keys select. */
export function Search() {
  const machines = useLive((live) => live.machines);
  const rack = useLive((live) => live.rack);
  const [text, setText] = useState('');
  const [at, setAt] = useState(0);
  const found = useMemo(() => {
    const results = find(text, machines.values(), rack);
    const filter: Found = {
      kind: 'filter',
      text: `Machines matching “${text.trim()}”`,
      href: hrefOf('rack', [], { text: text.trim() }),
    };
    return text.trim() === '' ? [] : [...results, filter];
  }, [text, machines, rack]);

  function open(result: Found | undefined) {
    if (!result) return;
    setText('');
    go(result.href);
    document.getElementById('main')?.focus();
  }

  function onKeyDown(event: KeyboardEvent) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) setAt((at + step + found.length) % Math.max(1, found.length));
    else if (event.key === 'Enter') open(found[at]);
    else if (event.key === 'Escape') {
      setText('');
      document.getElementById('main')?.focus();
    } else return;
    event.preventDefault();
  }

  return (
    <search class="search">
      <input
        id="search"
        type="text"
        role="combobox"
        aria-label="Search names, IP and MAC addresses, serial numbers and ports"
        aria-expanded={found.length > 0}
        aria-controls="found"
        aria-autocomplete="list"
        {...(found.length > 0 && { 'aria-activedescendant': `found-${at}` })}
        autocomplete="off"
        spellcheck={false}
        placeholder="Search  /"
        value={text}
        onInput={({ currentTarget }) => {
          setText(currentTarget.value);
          setAt(0);
        }}
        onKeyDown={onKeyDown}
        onBlur={() => setTimeout(() => setText(''), 200)}
      />
      <Results found={found} at={at} open={open} />
    </search>
  );
}

interface ResultsProps {
  found: Found[];
  /** The index of the selected one. */
  at: number;
  open: (result: Found) => void;
}

function Results({ found, at, open }: ResultsProps) {
  return (
    <div id="found" role="listbox" aria-label="Results" hidden={found.length === 0}>
      {found.map((each, i) => (
        // The field has the keys.
        // biome-ignore lint/a11y/useKeyWithClickEvents: see above
        // biome-ignore lint/a11y/useFocusableInteractive: see above
        <div
          key={each.href}
          id={`found-${i}`}
          role="option"
          aria-selected={i === at}
          onMouseDown={(event) => event.preventDefault()}
          onClick={() => open(each)}
        >
          <span>{each.text}</span>
          {each.by && <span class="by">{each.by}</span>}
          <span class="muted">{each.kind}</span>
        </div>
      ))}
    </div>
  );
}
