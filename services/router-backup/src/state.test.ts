import { itReadsBack } from '@skolo/common/testing/read-back';
import { Queue } from './offsite/queue.ts';
import { State } from './state.ts';

itReadsBack((deps) => ({ ...new State(deps), ...new Queue(deps) }));
