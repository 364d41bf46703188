import { Dialog } from '../parts/dialog.tsx';
import { keyGroups } from './keys.ts';

export function Help({ onClose }: { onClose(): void }) {
  return (
    <Dialog title="Keys" onClose={onClose}>
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
