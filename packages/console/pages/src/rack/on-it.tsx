import type { Machine } from '@skolo/api/machine-state';
import { holderOf } from '@skolo/api/silence';
import { powerCycleDaemon } from '../live/api.ts';
import { mayOperate, useLive } from '../live/store.ts';
import { Failure, useAttempt } from '../parts/load.tsx';
import { Until } from '../parts/time.tsx';

const holdMs = 4 * 3_600_000;

/**
 * Shows everybody who is working on a problem, or a button to say so. It is a hold, so that automatic repair does not disturb this person.
 */
export function OnIt({ what, machines }: { what: string; machines: readonly Machine[] }) {
  const isAllowed = useLive(({ session }) => mayOperate(session));
  const [failed, attempt] = useAttempt();
  const hold = holderOf(machines);
  function holdAll() {
    const targets = machines.map(({ name }) => name);
    const until = new Date(Date.now() + holdMs).toISOString();
    const reason = `on it: ${what}`;
    return powerCycleDaemon.hold({ body: { targets, reason, until } });
  }
  if (hold) {
    return (
      <p class="muted">
        {hold.by} is on it <Until time={hold.until} />
      </p>
    );
  }
  if (!isAllowed) return <p class="muted">nobody is on it</p>;
  return (
    <p>
      <button
        type="button"
        title="Shows your name, and holds the machines for 4 hours: nobody else power-cycles them, and no task starts"
        onClick={() => void attempt(holdAll)}
      >
        I am on it
      </button>
      {failed && <Failure error={failed} />}
    </p>
  );
}
