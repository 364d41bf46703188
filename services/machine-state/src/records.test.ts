import { itReadsBack } from '@skolo/common/testing/read-back';
import { openRecords } from './records.ts';

itReadsBack(openRecords);
