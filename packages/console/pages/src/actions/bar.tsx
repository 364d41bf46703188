/** Buttons for the actions that are possible with the selected machines. */
import { type ActionName, actions } from './actions.ts';
import { openAction } from './host.tsx';

export function ActionButtons({ names, only }: { names: readonly string[]; only?: ActionName[] }) {
  const shown = Object.entries(actions) as [ActionName, (typeof actions)[ActionName]][];
  return (
    <div class="buttons">
      {shown
        .filter(([name]) => only === undefined || only.includes(name))
        .filter(([, { choices }]) => choices === undefined || names.length === 1)
        .map(([name, { short, key }]) => (
          <button
            type="button"
            key={name}
            title={`key: ${key}`}
            onClick={() => openAction(name, names)}
          >
            {short}
          </button>
        ))}
    </div>
  );
}
