import type { OutletStatus } from '@skolo/api/power-cycle-daemon';
import { useState } from 'preact/hooks';
import { CallFailed, powerCycleDaemon } from '../live/api.ts';
import { mayOperate, useLive } from '../live/store.ts';
import { Dialog } from '../parts/dialog.tsx';
import { useDraft } from '../parts/draft.ts';
import { Force } from '../parts/force.tsx';
import { NeedsOperate } from '../parts/needs-operate.tsx';
import { Rejections } from '../parts/rejections.tsx';
import { downstream } from './downstream.ts';

const mostNames = 12;

/** Turns one outlet on or off: shows what depends on it, asks for the reason, and shows the power-cycle daemon's objections. */
export function SwitchDialog({
  outlet: { outlet, feeds },
  state,
  onClose,
}: {
  outlet: OutletStatus;
  state: 'on' | 'off';
  onClose(): void;
}) {
  const rack = useLive((live) => live.rack);
  const machines = useLive((live) => live.machines);
  const isAllowed = useLive(({ session }) => mayOperate(session));
  const [reason, setReason] = useDraft(`${state} ${outlet}`);
  const [force, setForce] = useState(false);
  const [isSent, setSent] = useState(false);
  const [problem, setProblem] = useState<unknown>();

  const after = rack && downstream(outlet, rack, machines);
  const busy = (after?.dark ?? feeds).filter((name) => machines.get(name)?.task);
  const isRejected = problem instanceof CallFailed && problem.status === 409;

  async function submit(event: Event) {
    event.preventDefault();
    setSent(true);
    setProblem(undefined);
    try {
      const body = { targets: [outlet], state, reason: reason.trim(), force };
      await powerCycleDaemon.switchOutlets({ body });
      setReason('');
      onClose();
    } catch (error) {
      setProblem(error);
      setSent(false);
    }
  }

  return (
    <Dialog title={`Turn ${state} ${outlet}`} onClose={onClose}>
      <form class="action" onSubmit={submit}>
        {state === 'on' ? (
          <p>The outlet powers {feeds.join(', ') || 'nothing that is listed in rack.yaml'}.</p>
        ) : (
          <>
            <p>
              The outlet stays off until someone turns it on again, even if the controller reboots.
            </p>
            <Losing what="Will lose power" names={after?.dark ?? feeds} />
            <Losing what="Will lose their network connection" names={after?.offline ?? []} />
            <Losing what="Will lose one of their power feeds" names={after?.fedTwice ?? []} />
            {busy.length > 0 && <Losing what="Have a task running" names={busy} />}
          </>
        )}
        <label>
          Reason
          <textarea
            required
            maxLength={1000}
            rows={2}
            value={reason}
            onInput={({ currentTarget }) => setReason(currentTarget.value)}
          />
        </label>
        {problem !== undefined && <Rejections problem={problem} />}
        {isRejected && <Force force={force} onChange={setForce} />}
        <NeedsOperate />
        <footer>
          <button
            type="submit"
            class={state === 'off' ? 'danger' : 'primary'}
            disabled={isSent || !isAllowed}
          >
            {isSent ? 'Sent …' : `Turn ${state}`}
          </button>
          <button type="button" onClick={onClose}>
            Cancel
          </button>
        </footer>
      </form>
    </Dialog>
  );
}

function Losing({ what, names }: { what: string; names: readonly string[] }) {
  if (names.length === 0) return null;
  const rest = names.length - mostNames;
  return (
    <p class="warning">
      {what}: {names.slice(0, mostNames).join(', ')}
      {rest > 0 && ` and ${rest} more`}.
    </p>
  );
}
