import { useRef, useState } from 'preact/hooks';
import { CallFailed } from '../live/api.ts';

/** Reasons that neither force nor agreement changes. */
const final: ReadonlySet<unknown> = new Set([
  ...['unknown', 'no-outlet', 'not-reachable', 'held', 'observed', 'not-possible', 'under-way'],
]);

/** Whether a person forces a request, and what that adds to it: others who are on it are not forced, but agreed with. */
export function useForce() {
  const [force, setForce] = useState(false);
  const isAsked = useRef(false);
  function added(problem: unknown): { force: boolean; alongside: boolean } {
    const codes = codesOf(problem);
    isAsked.current ||= codes.includes('on-it');
    return { force: force && !areOnIt(codes), alongside: force && isAsked.current };
  }
  return { force, setForce, added };
}

/** Shown if the power-cycle daemon has rejected a request that a person may force. */
export function Force({
  force,
  problem,
  onChange,
}: {
  force: boolean;
  problem?: unknown;
  onChange(force: boolean): void;
}) {
  const codes = codesOf(problem);
  if (codes.some((code) => final.has(code))) return null;
  return (
    <label class="check">
      <input
        type="checkbox"
        checked={force}
        onChange={({ currentTarget }) => onChange(currentTarget.checked)}
      />
      {areOnIt(codes)
        ? 'Proceed although somebody else is on it'
        : 'Force: proceed even if this ends a running task or cuts power to others'}
    </label>
  );
}

function areOnIt(codes: readonly unknown[]): boolean {
  return codes.length > 0 && codes.every((code) => code === 'on-it');
}

function codesOf(problem: unknown): unknown[] {
  const rejected = problem instanceof CallFailed ? problem.problem.rejected : undefined;
  return Array.isArray(rejected) ? rejected.map((each) => each?.code) : [];
}
