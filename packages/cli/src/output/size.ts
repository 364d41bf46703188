const units = ['kB', 'MB', 'GB'] as const;

/** `812 B`, `12.3 kB`, `1.2 MB`: thousands, as disks and clouds count. */
export function sizeText(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  let size = bytes / 1000;
  let unit = 0;
  // 999.95 would be shown as 1000.0.
  while (size >= 999.95 && unit < units.length - 1) {
    size /= 1000;
    unit++;
  }
  return `${size.toFixed(1)} ${units[unit]}`;
}
