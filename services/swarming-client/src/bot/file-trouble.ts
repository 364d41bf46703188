/** What the system says about a file, for people. */
const texts: Record<string, string> = {
  ENOSPC: 'the disk is full',
  EDQUOT: 'its quota is used up',
  EACCES: 'it may not be written to',
  EPERM: 'it may not be written to',
  EROFS: 'its file system is read-only',
  ENOTDIR: 'it is no folder',
  EIO: 'the disk does not work',
};

export function systemCodeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string'
    ? error.code
    : undefined;
}

export function isFileTrouble(error: unknown): boolean {
  return (systemCodeOf(error) ?? '') in texts;
}

export function fileTrouble(error: unknown): string {
  return (
    texts[systemCodeOf(error) ?? ''] ?? (error instanceof Error ? error.message : String(error))
  );
}
