import { useState } from 'preact/hooks';
import { setLive, useLive } from '../live/store.ts';
import { Dialog } from '../parts/dialog.tsx';
import { At } from '../parts/time.tsx';
import { signOut } from './session.ts';

/** The current user, and signing in or out. */
export function Who() {
  const session = useLive((live) => live.session);
  const [isOpen, setIsOpen] = useState(false);
  if (!session) return null;
  if (!session.signedIn) {
    return (
      <button type="button" onClick={() => setLive({ session: null })}>
        Sign in
      </button>
    );
  }
  return (
    <>
      <button type="button" class="quiet who" onClick={() => setIsOpen(true)}>
        {session.name} <span class="muted">{session.role}</span>
      </button>
      {isOpen && (
        <Dialog title={session.name} onClose={() => setIsOpen(false)}>
          <p>
            Role <b>{session.role}</b>.{' '}
            {session.expiresAt && (
              <>
                The session ends <At time={session.expiresAt} />.
              </>
            )}
          </p>
          <button type="button" onClick={() => void signOut()}>
            Sign out
          </button>
        </Dialog>
      )}
    </>
  );
}
