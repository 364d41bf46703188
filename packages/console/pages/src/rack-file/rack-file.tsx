import { useLive } from '../live/store.ts';
import { Ago } from '../parts/time.tsx';

/** rack.yaml as the services interpret it. */
export function RackFile() {
  const file = useLive(({ rack }) => rack?.rackFile);
  if (!file) return <p class="muted loading">Loading …</p>;
  const { loadedAt, warnings, problems, changes } = file;
  return (
    <>
      <h1>rack.yaml</h1>
      <p>
        Active for <Ago time={loadedAt} />.
      </p>
      {problems.length > 0 && (
        <section class="card bad">
          <h2>The current file was rejected</h2>
          <p>The last valid version remains active.</p>
          <Lines lines={problems} />
        </section>
      )}
      <h2>Changes in the last reload</h2>
      <Lines lines={changes} />
      <h2>Warnings</h2>
      <Lines lines={warnings} />
    </>
  );
}

function Lines({ lines }: { lines: readonly string[] }) {
  if (lines.length === 0) return <p class="muted">None.</p>;
  return (
    <ul class="lines">
      {lines.map((line) => (
        <li key={line}>
          <code>{line}</code>
        </li>
      ))}
    </ul>
  );
}
