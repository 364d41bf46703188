import type { Machine } from '@skolo/api/machine-state';
import { beganAt, conditionWord } from '@skolo/api/silence';
import { Component } from 'preact';
import { ConditionIcon } from '../parts/condition.tsx';
import { hrefOf } from '../parts/router.ts';
import { shortSpan } from '../parts/time.tsx';

/** Longer labels have a line of their own. */
export const longestBesideAge = 3;

interface Props {
  machine: Machine;
  /** Short name: its number on the shelf. */
  label: string;
  /** The label has a line of its own. */
  isWide: boolean;
  /** In milliseconds since 1970, to the minute; 0 if the machine is ok: its tile has no age. */
  now: number;
  isChosen: boolean;
  /** The one tile that Tab reaches. */
  isTabStop: boolean;
}

/** A machine's summary: two lines of text and a tab stop. A class, because hundreds of them compare their props before rendering. */
export class Tile extends Component<Props> {
  override shouldComponentUpdate(next: Readonly<Props>): boolean {
    return (Object.keys(next) as (keyof Props)[]).some((key) => next[key] !== this.props[key]);
  }

  override render() {
    const { machine, label, isWide, now, isChosen, isTabStop } = this.props;
    const { name, condition, task, power, needsAttention } = machine;
    const began = beganAt(machine);
    const age = now > 0 && began ? shortSpan(now - Date.parse(began)) : '';
    // The word itself is wider than a tile.
    const word = condition === 'never-reported' ? 'never seen' : conditionWord(condition);
    const more = age || (task || power?.busy ? '▸' : '');
    const text = isWide ? `\n${word} ${more}` : `\t${more}\n${word}`;
    // It begins with the visible text, for people who use voice control.
    const spoken = [
      `${label}${text}`.replace(/\s+/g, ' '),
      name,
      needsAttention && `needs attention: ${needsAttention}`,
      machine.flapping && 'flapping',
      task && 'has a task',
      power?.busy && 'is busy',
      isChosen && 'selected',
    ];
    const classes = ['tile', `c-${condition}`, isChosen && 'chosen', needsAttention && 'person'];
    return (
      <a
        class={classes.filter(Boolean).join(' ')}
        href={hrefOf('machine', [name])}
        data-machine={name}
        tabIndex={isTabStop ? 0 : -1}
        title={`${name}\n${machine.sentence}`}
        aria-label={spoken.filter(Boolean).join(', ')}
      >
        {condition !== 'ok' && <ConditionIcon condition={condition} />}
        <b>{label}</b>
        {text}
      </a>
    );
  }
}
