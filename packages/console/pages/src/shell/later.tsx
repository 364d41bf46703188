import type { FunctionComponent } from 'preact';
import { Load, useLoaded } from '../parts/load.tsx';
import type { Route } from '../parts/router.ts';

type Page = FunctionComponent<{ route: Route }>;

/** A page whose script is loaded when somebody opens it, so that the first page stays small. */
export function later(load: () => Promise<Page>): Page {
  return ({ route }) => {
    const loaded = useLoaded(async () => ({ Shown: await load() }), '');
    return <Load of={loaded}>{({ Shown }) => <Shown route={route} />}</Load>;
  };
}
