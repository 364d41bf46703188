import type { Machine } from '@skolo/api/machine-state';
import { Component } from 'preact';
import { ConditionIcon, wordFor } from '../parts/condition.tsx';
import { shortSpan, span } from '../parts/time.tsx';
import { hrefOf } from '../shell/router.ts';

interface Props {
  machine: Machine;
  /** Short name: its number on the shelf. */
  label: string;
  /** In milliseconds since 1970, to the minute. */
  now: number;
  isChosen: boolean;
  /** It is at the other end of the cable in focus. */
  isLinked: boolean;
  /** The one tile that Tab reaches. */
  isTabStop: boolean;
}

/** A machine at a glance. A class, because hundreds of them compare before they draw. */
export class Tile extends Component<Props> {
  override shouldComponentUpdate(next: Readonly<Props>): boolean {
    return (Object.keys(next) as (keyof Props)[]).some((key) => next[key] !== this.props[key]);
  }

  override render() {
    const { machine, label, now, isChosen, isLinked, isTabStop } = this.props;
    const { name, condition, since, task, needsPerson } = machine;
    const word = wordFor(condition);
    const taskMs = task && (task.since ? now - Date.parse(task.since) : 0);
    const spoken = [
      `${name}: ${word}`,
      since && `for ${span(now - Date.parse(since))}`,
      taskMs !== undefined && `task for ${span(taskMs)}`,
      needsPerson && `needs a person: ${needsPerson}`,
      machine.flapping && 'flapping',
      isChosen && 'selected',
    ];
    const classes = [
      'tile',
      `c-${condition}`,
      isChosen && 'chosen',
      isLinked && 'linked',
      needsPerson && 'person',
    ];
    return (
      <a
        class={classes.filter(Boolean).join(' ')}
        href={hrefOf('machine', [name])}
        data-machine={name}
        tabIndex={isTabStop ? 0 : -1}
        title={`${name}\n${machine.sentence}`}
      >
        <span class="spoken">{spoken.filter(Boolean).join(', ')}</span>
        <span class="line" aria-hidden="true">
          <ConditionIcon condition={condition} />
          <b>{label}</b>
          <i>{since ? shortSpan(now - Date.parse(since)) : ''}</i>
        </span>
        <span class="line" aria-hidden="true">
          <span class="word">{word}</span>
          {taskMs !== undefined && <i>▸ {shortSpan(taskMs)}</i>}
        </span>
      </a>
    );
  }
}
