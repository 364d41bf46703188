/** A logger that only records its messages. */
import type { Logger } from '@skolo/common/light';

export function quietLog() {
  const lines: { level: 'info' | 'warn'; message: string; fields: object }[] = [];
  const keep = (level: 'info' | 'warn') =>
    ((fields: object, message: string) => {
      lines.push({ level, message, fields });
    }) as Logger['info'];
  return { lines, info: keep('info'), warn: keep('warn') };
}
