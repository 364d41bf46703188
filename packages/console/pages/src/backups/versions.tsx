import type { BackupVersion } from '@skolo/api/router-backup';
import { routerBackup } from '../live/api.ts';
import { Load, useLoaded } from '../parts/load.tsx';
import { hrefOf, type Route } from '../parts/router.ts';
import { At } from '../parts/time.tsx';
import { SideBySide } from './side-by-side.tsx';

/** Versions of a piece of equipment, and what has changed between two of them. Secrets are masked by the service. */
export function Versions({ equipment, route }: { equipment: string; route: Route }) {
  const loaded = useLoaded(
    (signal) => routerBackup.versions({ params: { equipment }, query: { limit: 200 }, signal }),
    equipment,
  );
  const from = route.query.get('from');
  const to = route.query.get('to');
  return (
    <>
      <p class="up">
        <a href={hrefOf('backups')}>Backups</a>
      </p>
      <h1>{equipment}</h1>
      <Load of={loaded}>
        {({ versions }) => {
          const newer = versions.find(({ id }) => id === to) ?? versions[0];
          const older = versions.find(({ id }) => id === from) ?? versions[1];
          if (!newer) return <p class="muted">There are no versions yet.</p>;
          return (
            <div class="versions">
              <Choices
                equipment={equipment}
                versions={versions}
                older={older?.id}
                newer={newer.id}
              />
              {older ? (
                <Difference equipment={equipment} from={older.id} to={newer.id} />
              ) : (
                <p class="muted">
                  There is only one version, so there is nothing to compare it with.
                </p>
              )}
            </div>
          );
        }}
      </Load>
    </>
  );
}

interface ChoicesProps {
  equipment: string;
  versions: BackupVersion[];
  older: string | undefined;
  newer: string;
}

/** Each version with two radio buttons: compare from it, or with it. */
function Choices({ equipment, versions, older, newer }: ChoicesProps) {
  return (
    <fieldset>
      <legend>
        <span>older</span>
        <span>newer</span>
      </legend>
      {versions.map(({ id, time, changedBy, by, summary }) => (
        <div key={id}>
          <input
            type="radio"
            name="older"
            aria-label={`older: ${time}`}
            checked={id === older}
            onChange={() => choose(equipment, id, newer)}
          />
          <input
            type="radio"
            name="newer"
            aria-label={`newer: ${time}`}
            checked={id === newer}
            onChange={() => choose(equipment, older, id)}
          />
          <span>
            <At time={time} />{' '}
            <span class="muted">{changedBy ? `changed by ${changedBy}` : (by ?? summary)}</span>
          </span>
        </div>
      ))}
    </fieldset>
  );
}

function choose(equipment: string, from: string | undefined, to: string) {
  location.hash = hrefOf('backups', [equipment], { from, to });
}

function Difference({ equipment, from, to }: { equipment: string; from: string; to: string }) {
  const loaded = useLoaded(
    (signal) => routerBackup.diff({ params: { equipment }, query: { from, to }, signal }),
    `${equipment} ${from} ${to}`,
  );
  return (
    <Load of={loaded}>
      {({ diff }) =>
        diff === '' ? <p class="muted">No differences.</p> : <SideBySide diff={diff} />
      }
    </Load>
  );
}
