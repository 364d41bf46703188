import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { useLive } from '../live/store.ts';
import { exact } from '../parts/time.tsx';
import { type Scale, scaleOf, ticksOf } from './scale.ts';

const dayMs = 86_400_000;

interface Props {
  /** In milliseconds since 1970. */
  from: number;
  to: number;
  label: string;
  height: number;
  /** Left of the axis. */
  margin: number;
  /** Behind the time at the pointer. */
  textAt?(time: number): string;
  /** A click or tap on a time. */
  onPick?(time: number): void;
  /** @param at the time at the pointer */
  children(scale: Scale, at: number | undefined): ComponentChildren;
}

/** A drawing with round times below it, and a cursor with the time at the pointer. */
export function TimeAxis({ from, to, label, height, margin, textAt, onPick, children }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(0);
  const [at, setAt] = useState<number>();
  const timezone = useLive(({ rack }) => rack?.timezone);
  useEffect(() => {
    const observer = new ResizeObserver(([entry]) => setWidth(entry?.contentRect.width ?? 0));
    if (box.current) observer.observe(box.current);
    return () => observer.disconnect();
  }, []);
  const scale = scaleOf(from, to, margin, Math.max(margin + 50, width - 4));
  const lines = (time: number) => (
    <line x1={scale.x(time)} x2={scale.x(time)} y1={0} y2={height - 18} />
  );
  const timeOf = ({ offsetX }: PointerEvent) =>
    offsetX > margin ? scale.timeAt(offsetX) : undefined;
  return (
    <div class={onPick ? 'timeline graph' : 'timeline'} ref={box}>
      {width > 0 && (
        <svg
          width={width}
          height={height}
          role="img"
          aria-label={label}
          onPointerMove={(event) => setAt(timeOf(event))}
          onPointerLeave={() => setAt(undefined)}
          onPointerUp={(event) => onPick?.(timeOf(event) ?? from)}
        >
          {ticksOf(from, to, timezone, width).map(({ time, text }) => (
            <g key={time}>
              {lines(time)}
              <text class="tick" x={Math.min(scale.x(time), width - 18)} y={height - 5}>
                {text}
              </text>
            </g>
          ))}
          {children(scale, at)}
          {at !== undefined && (
            <g class="cursor">
              {lines(at)}
              <text x={scale.x(at)} y={height - 5}>
                {exact(at, timezone, to - from > dayMs) + (textAt?.(at) ?? '')}
              </text>
            </g>
          )}
        </svg>
      )}
    </div>
  );
}
