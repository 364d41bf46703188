/** A recording as a simulator plays it: with controls as they were. */
import { type Recording, unwritten } from './recording.ts';

export function played({ transport, talks }: Recording) {
  return {
    transport,
    talks: talks.map((talk) => {
      if (talk.kind === 'http' || talk.kind === 'snmp') return talk;
      if (talk.kind === 'exec') return { ...talk, received: unwritten(talk.received, '\n') };
      const said = talk.said.map((each) => ({
        ...each,
        ...(each.key !== undefined && { key: unwritten(each.key, '\r\n') }),
        received: unwritten(each.received, '\r\n'),
      }));
      return { ...talk, said };
    }),
  };
}
