import type { Curve, HistoryEntry, Machine, MachineCondition } from '@skolo/api/machine-state';
import { conditionWord } from '@skolo/api/silence';
import { CurveLane } from './curve.tsx';
import { textOf } from './entry-text.ts';
import type { Scale } from './scale.ts';
import { TimeAxis } from './time-axis.tsx';

/** Left of the axis: the names of the rows. */
const margin = 92;
const laneHeight = 26;
const curveHeight = 64;

interface Mark {
  from: number;
  to: number;
  text: string;
  className: string;
  /** Inside the mark, if there is room. */
  label?: string;
}

interface Props {
  machine: Machine;
  from: number;
  to: number;
  entries: HistoryEntry[];
  curves: Curve[];
}

/** Verdicts, tasks, power, alerts and people on one axis, with the graphs below. The list after it has the same information. */
export function Timeline({ machine, from, to, entries, curves }: Props) {
  const lanes = lanesOf(machine, entries, from, to);
  const top = lanes.length * laneHeight;
  return (
    <TimeAxis
      from={from}
      to={to}
      label={`Timeline of ${machine.name}; the list below contains the same events`}
      height={top + curves.length * curveHeight + 20}
      margin={margin}
    >
      {(scale, at) => (
        <>
          {lanes.map(([name, marks], i) => (
            <Lane key={name} name={name} marks={marks} scale={scale} y={i * laneHeight} />
          ))}
          {curves.map((curve, i) => (
            <CurveLane
              key={`${curve.device} ${curve.quantity} ${curve.unit}`}
              curve={curve}
              scale={scale}
              y={top + i * curveHeight}
              height={curveHeight}
              at={at}
            />
          ))}
        </>
      )}
    </TimeAxis>
  );
}

function Lane({ name, marks, scale, y }: { name: string; marks: Mark[]; scale: Scale; y: number }) {
  return (
    <g>
      <text class="lane" x={0} y={y + 17}>
        {name}
      </text>
      <line
        class="base"
        x1={margin}
        x2={scale.end}
        y1={y + laneHeight - 4}
        y2={y + laneHeight - 4}
      />
      {marks.map(({ from, to, text, className, label }) => {
        const x = scale.x(from);
        const wide = Math.max(3, scale.x(to) - x);
        return (
          <g key={`${from} ${text}`}>
            <rect
              class={`mark ${className}`}
              x={x}
              y={y + 5}
              width={wide}
              height={laneHeight - 10}
              rx={2}
            >
              <title>{text}</title>
            </rect>
            {label && wide > label.length * 6.5 + 8 && (
              <text class={`in-mark ${className}`} x={x + 5} y={y + 17}>
                {label}
              </text>
            )}
          </g>
        );
      })}
    </g>
  );
}

function lanesOf(
  machine: Machine,
  entries: HistoryEntry[],
  from: number,
  to: number,
): [string, Mark[]][] {
  const kinds: [string, HistoryEntry['kind'][]][] = [
    ['Tasks', ['task']],
    ['Power', ['cycle', 'boot']],
    ['Repairs', ['repair']],
    ['Not done', ['would-have']],
    ['Alerts', ['alert']],
    ['People', ['order', 'hold', 'note']],
    ['Omitted', ['omitted']],
  ];
  const others = kinds.map(([name, wanted]): [string, Mark[]] => [
    name,
    entries.flatMap((entry) => (wanted.includes(entry.kind) ? [markOf(entry, to)] : [])),
  ]);
  // The axis stays the same even if nothing happened: only rare lanes are omitted.
  const shown = others.filter(([name, marks]) => marks.length > 0 || name === 'Tasks');
  return [['State', statesOf(machine, entries, from, to)], ...shown];
}

function markOf(entry: HistoryEntry, to: number): Mark {
  const start = Date.parse(entry.at);
  const ended = 'endedAt' in entry && entry.endedAt ? Date.parse(entry.endedAt) : undefined;
  const lasts =
    entry.kind === 'task' ||
    entry.kind === 'alert' ||
    entry.kind === 'order' ||
    entry.kind === 'hold';
  return {
    from: start,
    to: ended ?? (lasts ? to : start),
    text: `${entry.kind}: ${textOf(entry)}`,
    className: `k-${entry.kind}`,
  };
}

/** Segments of the condition, which is unknown before the first change in the period. */
function statesOf(machine: Machine, entries: HistoryEntry[], from: number, to: number): Mark[] {
  const changes = entries
    .flatMap((entry) => (entry.kind === 'condition' ? [entry] : []))
    .map(({ at, condition, text }) => ({ at: Math.max(from, Date.parse(at)), condition, text }))
    .sort((a, b) => a.at - b.at);
  const { condition, since, sentence } = machine;
  if (changes.length === 0) {
    const began = since === undefined ? from : Math.max(from, Date.parse(since));
    return [segment(began, to, condition, sentence)];
  }
  return changes.map((change, i) =>
    segment(change.at, changes[i + 1]?.at ?? to, change.condition, change.text),
  );
}

function segment(from: number, to: number, condition: MachineCondition, text: string): Mark {
  const className = `c-${condition}`;
  const label = conditionWord(condition);
  return { from, to, text: `${label}: ${text}`, className, label };
}
