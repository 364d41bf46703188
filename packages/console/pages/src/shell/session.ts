/**
 * The user of this page: signs in and out, and shows when the session has ended. The token itself is never kept here: a cookie that
 * scripts cannot read represents it.
 */
import type { ConsoleSession } from '@skolo/api/console';
import { CallFailed, machineState } from '../live/api.ts';
import { followRack } from '../live/follow.ts';
import { getLive, onLive, setLive } from '../live/store.ts';
import { go, hrefOf, parseHash } from '../parts/router.ts';

const retryMs = 3000;

/**
 * Follows the rack while this browser may. A response that denies access signs it out, and a new session follows again. After each lost
 * connection, requests the session again: the service may have restarted without it.
 */
export function startSession(): void {
  const hasLink = parseHash(location.hash).view === 'sign-in';
  let unfollow: (() => void) | undefined;
  let wasLost = false;
  function adapt() {
    const { session, connection } = getLive();
    const isAllowed = hasLink ? Boolean(session) : session !== null;
    if (isAllowed) unfollow ??= followRack();
    else {
      unfollow?.();
      unfollow = undefined;
    }
    const isLost = connection === 'lost';
    if (wasLost && !isLost) void loadSession();
    wasLost = isLost;
  }
  adapt();
  onLive(adapt);
  void loadSession();
}

async function loadSession(): Promise<void> {
  const { view, query } = parseHash(location.hash);
  const code = query.get('code');
  if (view === 'sign-in' && code) {
    // Removed from the address and the history before anything else.
    go(hrefOf('rack'), true);
    try {
      await signIn({ code });
      return;
    } catch (error) {
      setLive({ session: null, why: error instanceof Error ? error.message : String(error) });
      return;
    }
  }
  try {
    setSession(await machineState.session());
  } catch (error) {
    if (error instanceof CallFailed && error.status === 401) setLive({ session: null });
    else setTimeout(() => void loadSession(), retryMs);
  }
}

/** @throws CallFailed */
export async function signIn(by: { token: string } | { code: string }): Promise<void> {
  setSession(await machineState.signIn({ body: by }));
}

export async function signOut(): Promise<void> {
  await machineState.signOut();
  location.reload();
}

let pageVersion: string | undefined;
let again: number | undefined;

/** A page of a different version than the service reloads, unless the user is typing. */
function setSession(session: ConsoleSession): void {
  pageVersion ??= session.version;
  const isTyping = document.querySelector('dialog[open]') !== null;
  if (session.version !== pageVersion && !isTyping) location.reload();
  setLive({ session });
  clearTimeout(again);
  if (session.onlyReads) again = window.setTimeout(() => void loadSession(), retryMs);
}
