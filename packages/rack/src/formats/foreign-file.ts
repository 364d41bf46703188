/** Files of other programs. Errors do not quote them, because they contain passwords. */
import { parse, YAMLParseError } from 'yaml';

/** An error in the file: what, where, what to do. */
export class ForeignInventoryError extends Error {
  readonly code = 'FOREIGN_INVENTORY';
}

/** JSON is YAML. Ruby's own tags are ignored, and of equal keys the last counts, as in the programs. @throws ForeignInventoryError */
export function parseForeign(text: string, file: string, version: '1.1' | '1.2' = '1.2'): unknown {
  try {
    return parse(text, { logLevel: 'error', uniqueKeys: false, version });
  } catch (error) {
    const line = error instanceof YAMLParseError ? error.linePos?.[0].line : undefined;
    const where = line === undefined ? file : `${file}:${line}`;
    throw new ForeignInventoryError(`${where}: not valid YAML or JSON; fix it`);
  }
}
