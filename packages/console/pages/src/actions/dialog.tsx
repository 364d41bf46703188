/**
 * The dialog of an action: machines, duration and reason. It decides which durations are offered, and when the number of machines must
 * be typed.
 */
import type { Machine, RackView } from '@skolo/api/machine-state';
import { reasonRequired } from '@skolo/api/reasons';
import { useState } from 'preact/hooks';
import { useLive } from '../live/store.ts';
import { Condition } from '../parts/condition.tsx';
import { Dialog } from '../parts/dialog.tsx';
import { useDraft } from '../parts/draft.ts';
import { Force, useForce } from '../parts/force.tsx';
import { FormEnd } from '../parts/form-end.tsx';
import { listed } from '../parts/listed.ts';
import { Reason } from '../parts/reason.tsx';
import { Rejections } from '../parts/rejections.tsx';
import { useSubmit } from '../parts/submit.ts';
import { type ActionName, actions, needsCount, takesDown } from './actions.ts';
import type { RepairChoice } from './repair-steps.ts';

const mostNames = 12;
const hour = 3_600_000;
const spans: readonly [string, number][] = [
  ['1 hour', hour],
  ['4 hours', 4 * hour],
  ['1 day', 24 * hour],
  ['1 week', 168 * hour],
  ['until someone ends it', 0],
];
/** A hold always ends. */
const holdDefault = 'default for holds (24 hours, unless rack.yaml sets a different time)';

export function ActionDialog({
  action: name,
  machines,
  onClose,
  onAccepted,
}: {
  action: ActionName;
  machines: Machine[];
  onClose(): void;
  /** @param title says which action, and for which machines */
  onAccepted(title: string): void;
}) {
  const action = actions[name];
  const rack = useLive((live) => live.rack);
  const rackSize = useLive((live) => live.machines.size);
  const names = machines.map((machine) => machine.name);
  const [reason, setReason] = useDraft(`${name} ${names.join(' ')}`);
  const [forMs, setForMs] = useState(4 * hour);
  const [typed, setTyped] = useState('');
  const { force, setForce, added } = useForce();
  const [chosen, setChosen] = useState(0);

  const isMany = needsCount(names.length, rackSize) && names.length > 1;
  const [only] = names;
  const [machine] = machines;
  const choices = machine && action.choices?.(machine, rack);
  const choice = choices?.[chosen];
  const title = `${action.title}: ${names.length === 1 ? only : `${names.length} machines`}`;
  const { isSent, problem, isRejected, submit } = useSubmit(
    async ({ key, at }) => {
      const until = action.hasUntil && forMs > 0 ? new Date(at + forMs).toISOString() : undefined;
      const count = isMany ? names.length : undefined;
      await action.run(names, {
        reason: reason.trim(),
        ...added(problem),
        key,
        ...(until && { until }),
        ...(count && { count }),
        ...(choice && { choice }),
      });
      setReason('');
      onAccepted(title);
    },
    [reason, forMs, force, choice],
  );

  return (
    <Dialog title={title} onClose={onClose}>
      <form class="action" onSubmit={submit}>
        <p>{action.effect}</p>
        <Warnings action={name} machines={machines} rack={rack} />
        {names.length > 1 && <Names machines={machines} />}
        {choices && <Steps choices={choices} chosen={chosen} onChange={setChosen} />}
        <Reason
          text={reason}
          isNote={name === 'note'}
          required={name === 'note' || reasonRequired[name]}
          onChange={setReason}
        />
        {action.hasUntil && <HowLong action={name} ms={forMs} onChange={setForMs} />}
        {isMany && (
          <label>
            This affects more than 10% of the rack. To confirm, type the number of machines:{' '}
            {names.length}
            <input
              inputMode="numeric"
              required
              pattern={String(names.length)}
              value={typed}
              onInput={({ currentTarget }) => setTyped(currentTarget.value)}
            />
          </label>
        )}
        {problem !== undefined && <Rejections problem={problem} />}
        {isRejected && name === 'cycle' && (
          <Force force={force} problem={problem} onChange={setForce} />
        )}
        <FormEnd
          title={action.title}
          kind={action.isDangerous ? 'danger' : 'primary'}
          isSent={isSent}
          isReady={
            (!isMany || typed === String(names.length)) && (!choices || choice !== undefined)
          }
          onClose={onClose}
        />
      </form>
    </Dialog>
  );
}

function Warnings({
  action,
  machines,
  rack,
}: {
  action: ActionName;
  machines: Machine[];
  rack: RackView | undefined;
}) {
  const busy = machines.filter(({ task, power }) => task || power?.busy).length;
  const had = machines.filter(({ taskWhenLastSeen }) => taskWhenLastSeen).length;
  const others = action === 'cycle' ? takesDown(machines, rack) : [];
  return (
    <>
      {busy > 0 && action !== 'note' && (
        <p class="warning">
          {busy === 1 && machines.length === 1
            ? 'A task is running on this machine.'
            : `Machines with a running task: ${busy}.`}
        </p>
      )}
      {had > 0 && action !== 'note' && (
        <p class="warning">Silent machines that had a task at their last answer: {had}.</p>
      )}
      {others.length > 0 && (
        <p class="warning">This also cuts power to {listed(others, mostNames)}.</p>
      )}
    </>
  );
}

function Names({ machines }: { machines: Machine[] }) {
  return (
    <ul class="names" aria-label="Machines">
      {machines.map((machine) => (
        <li key={machine.name}>
          {machine.name} <Condition condition={machine.condition} />
        </li>
      ))}
    </ul>
  );
}

function Steps({
  choices,
  chosen,
  onChange,
}: {
  choices: RepairChoice[];
  chosen: number;
  onChange(chosen: number): void;
}) {
  return (
    <>
      <label>
        Step
        <select
          value={String(chosen)}
          onChange={({ currentTarget }) => onChange(Number(currentTarget.value))}
        >
          {choices.map(({ device, step }, i) => (
            <option key={`${device} ${step}`} value={String(i)}>
              {step} of {device}
            </option>
          ))}
        </select>
      </label>
      <p class="warning" role="status">
        {choices[chosen]?.effect ?? "This machine's agent does not report any repair steps."}
      </p>
    </>
  );
}

function HowLong({
  action,
  ms,
  onChange,
}: {
  action: ActionName;
  ms: number;
  onChange(ms: number): void;
}) {
  return (
    <label>
      Duration
      <select
        value={String(ms)}
        onChange={({ currentTarget }) => onChange(Number(currentTarget.value))}
      >
        {spans.map(([text, each]) => (
          <option key={each} value={String(each)}>
            {each === 0 && action === 'hold' ? holdDefault : text}
          </option>
        ))}
      </select>
    </label>
  );
}
