import { reasonRequired } from '@skolo/api/reasons';
import { count } from '@skolo/base/count';
import { powerCycleDaemon } from '../live/api.ts';
import { useLive } from '../live/store.ts';
import { Dialog } from '../parts/dialog.tsx';
import { useDraft } from '../parts/draft.ts';
import { Force, useForce } from '../parts/force.tsx';
import { FormEnd } from '../parts/form-end.tsx';
import { listed } from '../parts/listed.ts';
import { Reason } from '../parts/reason.tsx';
import { Rejections } from '../parts/rejections.tsx';
import { useSubmit } from '../parts/submit.ts';
import { downstream } from './downstream.ts';

const mostNames = 12;

/** Turns a target on, off, or off and on: shows what depends on it, asks for the reason, and shows the power-cycle daemon's objections. */
export function SwitchDialog({
  target,
  outlets,
  state,
  onClose,
}: {
  /** An outlet, or what its outlets feed. */
  target: string;
  outlets: readonly string[];
  state: 'on' | 'off' | 'cycle';
  onClose(): void;
}) {
  const rack = useLive((live) => live.rack);
  const machines = useLive((live) => live.machines);
  const [reason, setReason] = useDraft(`${state} ${target}`);
  const { force, setForce, added } = useForce();

  const after = rack && downstream(outlets, rack, machines);
  const dark = after?.dark ?? [];
  const offline = after?.offline ?? [];
  const busy = [...dark, ...offline].filter((name) => {
    const machine = machines.get(name);
    return machine?.task || machine?.power?.busy;
  });
  const others = [...dark, ...offline].filter((name) => name !== target);
  const isOther = (name: string) => name !== target && machines.has(name);
  const loss = lossOf(dark.filter(isOther).length, offline.filter(isOther).length);
  const title = state === 'cycle' ? 'Power cycle' : `Turn ${state}`;

  const { isSent, problem, isRejected, submit } = useSubmit(
    async ({ key }) => {
      const headers = { 'idempotency-key': key };
      const asked = { reason: reason.trim() };
      const { alongside, ...forced } = added(problem);
      await (state === 'cycle'
        ? powerCycleDaemon.requestCycles({
            headers,
            body: { machines: [target], alongside, ...forced, ...asked },
          })
        : powerCycleDaemon.switchOutlets({
            headers,
            body: { targets: [target], state, ...forced, ...asked },
          }));
      setReason('');
      onClose();
    },
    [reason, force],
  );

  return (
    <Dialog title={`${title} ${target}`} onClose={onClose}>
      <form class="action" onSubmit={submit}>
        {state === 'on' ? (
          <p>The outlet powers {dark.join(', ') || 'nothing that is listed in rack.yaml'}.</p>
        ) : (
          <>
            <p>
              <b>{loss}</b>{' '}
              {state === 'cycle'
                ? `until ${target} and what depends on it have started again.`
                : 'until someone turns it on again, even if the controller reboots.'}
            </p>
            <Losing what="Will lose power" names={dark} />
            <Losing what="Will lose their network connection" names={offline} />
            <Losing what="Will lose one of their power feeds" names={after?.fedTwice ?? []} />
            {busy.length > 0 && <Losing what="Have a task running" names={busy} />}
          </>
        )}
        <Reason text={reason} required={reasonRequired[state]} onChange={setReason} />
        {problem !== undefined && <Rejections problem={problem} />}
        {(isRejected || (state === 'cycle' && others.length > 0)) && (
          <Force force={force} problem={problem} onChange={setForce} />
        )}
        <FormEnd
          title={title}
          kind={state === 'on' ? 'primary' : 'danger'}
          isSent={isSent}
          onClose={onClose}
        />
      </form>
    </Dialog>
  );
}

/** `40 machines lose the network`. Those without power are not counted twice. */
function lossOf(dark: number, offline: number): string {
  const lose = (n: number, what: string) =>
    n === 0 ? [] : [`${count(n, 'machine loses', 'machines lose')} ${what}`];
  const losses = [...lose(dark, 'power'), ...lose(offline, 'the network')];
  return losses.length > 0 ? `${losses.join(', ')},` : 'No other machine is affected;';
}

function Losing({ what, names }: { what: string; names: readonly string[] }) {
  if (names.length === 0) return null;
  return (
    <p class="warning">
      {what}: {listed(names, mostNames)}.
    </p>
  );
}
