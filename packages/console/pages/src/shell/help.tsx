/** The dialog with all keyboard shortcuts, which also turns them off. */
import { Dialog } from '../parts/dialog.tsx';
import { areCharactersOn, keyGroups, turnCharacters } from '../parts/keys.ts';

export function Help({ onClose }: { onClose(): void }) {
  return (
    <Dialog title="Keyboard shortcuts" onClose={onClose}>
      <label>
        <input
          type="checkbox"
          defaultChecked={areCharactersOn()}
          onChange={({ currentTarget }) => turnCharacters(currentTarget.checked)}
        />{' '}
        Enable single-character shortcuts
      </label>
      {keyGroups().map(([group, keys]) => (
        <section key={group}>
          <h3>{group}</h3>
          <dl class="keys">
            {keys.map(({ key, what }) => (
              <div key={key}>
                <dt>
                  <kbd>{key === ' ' ? 'Space' : key}</kbd>
                </dt>
                <dd>{what}</dd>
              </div>
            ))}
          </dl>
        </section>
      ))}
    </Dialog>
  );
}
