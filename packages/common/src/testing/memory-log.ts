import { createLogger } from '../process/log.ts';

/** A log that a test can read. */
export function memoryLog() {
  let text = '';
  const destination = {
    write(line: string) {
      text += line;
    },
  };
  function lines(): Record<string, unknown>[] {
    return text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line));
  }
  return {
    log: createLogger({ service: 'test', level: 'trace', destination }),
    destination,
    text: () => text,
    lines,
    messages: () => lines().map((line) => line.msg),
  };
}
