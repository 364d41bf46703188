import { CallFailed } from '../live/api.ts';

/** Why it was rejected; the power-cycle daemon gives a reason for each target. */
export function Rejections({ problem }: { problem: unknown }) {
  const rejected = problem instanceof CallFailed ? problem.problem.rejected : undefined;
  const lines = Array.isArray(rejected)
    ? rejected.map((each) => String(each?.detail))
    : [problem instanceof Error ? problem.message : String(problem)];
  return (
    <ul class="failure" role="alert">
      {lines.slice(0, 20).map((line) => (
        <li key={line}>{line}</li>
      ))}
      {lines.length > 20 && <li>and {lines.length - 20} more</li>}
    </ul>
  );
}
