import { useLive } from '../live/store.ts';
import { span, useNow } from '../parts/time.tsx';

/** Warns if the shown state may be outdated, or if nothing can be changed. */
export function Banner() {
  const connection = useLive((live) => live.connection);
  const lostAt = useLive((live) => live.lostAt);
  const why = useLive((live) => live.why);
  const rackName = useLive(({ rack, session }) => rack?.rack ?? session?.rack ?? 'RACK');
  const onlyReads = useLive((live) => live.session?.onlyReads);
  const now = useNow();
  return (
    <div role="status" aria-live="polite">
      {connection === 'lost' && (
        <p class="banner">
          Connection lost{lostAt && now - lostAt > 5000 ? ` for ${span(now - lostAt)}` : ''}: {why}.
          The page shows the last known state and reconnects automatically. To see why, run{' '}
          <code>skolo logs {rackName} machine-state</code>.
        </p>
      )}
      {onlyReads && <p class="banner">You can look, but not change anything: {onlyReads}</p>}
    </div>
  );
}
