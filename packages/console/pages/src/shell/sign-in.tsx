/** The sign-in with a token, when there is no session. */
import { useState } from 'preact/hooks';
import { useLive } from '../live/store.ts';
import { signIn } from './session.ts';

export function SignIn() {
  const linkFailed = useLive(({ why }) => why);
  const [token, setToken] = useState('');
  const [problem, setProblem] = useState<string>();
  const [busy, setBusy] = useState(false);
  async function submit(event: Event) {
    event.preventDefault();
    setBusy(true);
    try {
      await signIn({ token: token.trim() });
    } catch (error) {
      setProblem(error instanceof Error ? error.message : String(error));
      setBusy(false);
    }
  }
  const shown = problem ?? linkFailed;
  return (
    <main class="sign-in">
      <form onSubmit={submit}>
        <h1>Sign in</h1>
        <label>
          Token for this rack
          <input
            type="password"
            autocomplete="current-password"
            value={token}
            required
            onInput={({ currentTarget }) => setToken(currentTarget.value)}
          />
        </label>
        {shown && (
          <p class="failure" role="alert">
            {shown}
          </p>
        )}
        <button type="submit" class="primary" disabled={busy}>
          Sign in
        </button>
        <p class="muted">
          <code>skolo console</code> opens this page and signs you in.{' '}
          <code>skolo token new NAME</code> creates a token.
        </p>
      </form>
    </main>
  );
}
