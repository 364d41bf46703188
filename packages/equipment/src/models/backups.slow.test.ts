/** The backups of all models with simulated equipment whose faults let a session wait in silence. */
import { describe } from 'vitest';
import { cases, isWholeOrNotAtAll } from './testing/backup-faults.ts';

describe.each(cases)('a backup of $name', (about) => isWholeOrNotAtAll(about, 'slow'));
