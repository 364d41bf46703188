import { mayOperate, useLive } from '../live/store.ts';

/** Says why the user may not do this; nothing for users who may. */
export function NeedsOperate() {
  const session = useLive((live) => live.session);
  if (mayOperate(session)) return null;
  const { onlyReads, name = 'not signed in', role = 'none' } = session ?? {};
  return (
    <p class="failure">
      {onlyReads ?? `This requires the operate role. You are ${name}; your role is ${role}.`}
    </p>
  );
}

/** The end of a dialog's form: its button, or why the user may not press it. */
export function FormEnd({
  title,
  kind,
  isSent,
  isReady = true,
  onClose,
}: {
  title: string;
  kind: 'primary' | 'danger';
  isSent: boolean;
  /** Everything is typed and chosen. */
  isReady?: boolean;
  onClose(): void;
}) {
  const isAllowed = useLive(({ session }) => mayOperate(session));
  return (
    <>
      <NeedsOperate />
      <footer>
        <button type="submit" class={kind} disabled={isSent || !isAllowed || !isReady}>
          {isSent ? 'Sent …' : title}
        </button>
        <button type="button" onClick={onClose}>
          Cancel
        </button>
      </footer>
    </>
  );
}
