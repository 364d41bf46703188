import { mayOperate, useLive } from '../live/store.ts';

/** Says why the user may not do this; nothing for users who may. */
export function NeedsOperate() {
  const session = useLive((live) => live.session);
  if (mayOperate(session)) return null;
  if (session?.onlyReads) return <p class="failure">{session.onlyReads}</p>;
  return (
    <p class="failure">
      This requires the operate role. You are {session?.name ?? 'not signed in'}; your role is{' '}
      {session?.role ?? 'none'}.
    </p>
  );
}
