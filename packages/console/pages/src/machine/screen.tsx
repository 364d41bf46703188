import type { Machine } from '@skolo/api/machine-state';
import { useEffect, useState } from 'preact/hooks';
import { CallFailed, machineState } from '../live/api.ts';
import { mayOperate, useLive } from '../live/store.ts';
import { asError, Failure } from '../parts/load.tsx';

/** A phone's screen. Only on demand: it may show unreleased software, and viewing it is audited. */
export function Screen({ machine: { name, devices } }: { machine: Machine }) {
  const canLook = useLive(({ session }) => mayOperate(session));
  const [picture, setPicture] = useState<string>();
  const [failed, setFailed] = useState<Error>();
  const [isBusy, setIsBusy] = useState(false);
  useEffect(() => () => URL.revokeObjectURL(picture ?? ''), [picture]);
  const [phone] = devices;
  if (!phone) return null;

  async function look(fresh: boolean, force = false) {
    setIsBusy(true);
    setFailed(undefined);
    try {
      const body = { device: phone?.name, fresh, force };
      const { bytes, headers } = await machineState.screen({ params: { name }, body });
      setPicture(
        URL.createObjectURL(new Blob([bytes], { type: headers.get('content-type') ?? '' })),
      );
    } catch (error) {
      setFailed(asError(error));
    }
    setIsBusy(false);
  }

  const isTaskInTheWay = failed instanceof CallFailed && failed.status === 409;
  return (
    <section>
      <h2>Screen</h2>
      {picture && <img class="screen" src={picture} alt={`Phone screen of ${name}`} />}
      {failed && <Failure error={failed} />}
      {canLook ? (
        <div class="buttons">
          <button type="button" disabled={isBusy} onClick={() => void look(true)}>
            Take a screenshot
          </button>
          <button type="button" disabled={isBusy} onClick={() => void look(false)}>
            Show the last saved screenshot
          </button>
          {isTaskInTheWay && (
            <button type="button" class="danger" onClick={() => void look(true, true)}>
              Take a screenshot despite the task
            </button>
          )}
        </div>
      ) : (
        <p class="muted">Viewing the screen requires the operate role.</p>
      )}
    </section>
  );
}
