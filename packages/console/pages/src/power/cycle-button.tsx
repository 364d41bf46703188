import { useState } from 'preact/hooks';
import { openAction } from '../actions/host.tsx';
import { useLive } from '../live/store.ts';
import { SwitchDialog } from './switch-dialog.tsx';

/**
 * "Power cycle" of a machine, switch, PDU or router; nothing if rack.yaml does not say what feeds it.
 *
 * @param of its name, where several such buttons are side by side
 */
export function CycleButton({ name, of = '' }: { name: string; of?: string }) {
  const equipment = useLive(({ rack }) => rack?.equipment.find((each) => each.name === name));
  const machine = useLive(({ machines }) => machines.get(name));
  const [isOpen, setOpen] = useState(false);
  const feeds = equipment?.power ?? machine?.wiring.power ?? [];
  if (feeds.length === 0) return null;
  const open = () => (equipment ? setOpen(true) : openAction('cycle', [name]));
  return (
    <>
      <button type="button" aria-label={`Power cycle ${name}`} onClick={open}>
        Power cycle {of}
      </button>
      {isOpen && (
        <SwitchDialog target={name} outlets={feeds} state="cycle" onClose={() => setOpen(false)} />
      )}
    </>
  );
}
