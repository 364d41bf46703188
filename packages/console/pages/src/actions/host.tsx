/** Opens an action's dialog, with the names selected at this moment. */
import type { Machine } from '@skolo/api/machine-state';
import { useEffect, useState } from 'preact/hooks';
import { getLive } from '../live/store.ts';
import { type ActionName, actions } from './actions.ts';
import { ActionDialog } from './dialog.tsx';

interface Asked {
  action: ActionName;
  machines: Machine[];
}

let open: ((asked: Asked) => void) | undefined;

export function openAction(action: ActionName, names: Iterable<string>): void {
  const { machines } = getLive();
  const chosen = [...names].flatMap((name) => machines.get(name) ?? []);
  const most = actions[action].choices ? 1 : machines.size;
  if (chosen.length > 0 && chosen.length <= most) open?.({ action, machines: chosen });
}

const shownMs = 6000;

export function ActionHost() {
  const [asked, setAsked] = useState<Asked>();
  const [accepted, setAccepted] = useState('');
  useEffect(() => {
    open = setAsked;
    return () => {
      open = undefined;
    };
  }, []);
  useEffect(() => {
    const timer = setTimeout(() => setAccepted(''), shownMs);
    return () => clearTimeout(timer);
  }, [accepted]);
  return (
    <>
      <p role="status" class="accepted">
        {accepted}
      </p>
      {asked && (
        <ActionDialog
          {...asked}
          onClose={() => setAsked(undefined)}
          onAccepted={(title) => {
            setAsked(undefined);
            setAccepted(`${title}: accepted`);
          }}
        />
      )}
    </>
  );
}
