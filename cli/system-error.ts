/** What to tell about an error of the file system. */
export interface SystemErrorText {
  message: string;
  hint: string;
}

const reasons: Record<string, { why: string; hint: string }> = {
  EEXIST: { why: 'a file stands where a folder is needed', hint: 'name another folder' },
  ENOTDIR: { why: 'a file stands where a folder is needed', hint: 'name another folder' },
  EACCES: { why: 'you have no permission', hint: 'name another folder, or run this as a user who may' },
  EPERM: { why: 'you have no permission', hint: 'name another folder, or run this as a user who may' },
  EROFS: { why: 'the file system is read-only', hint: 'name another folder' },
  ENOSPC: { why: 'the disk is full', hint: 'free some space, or name another folder' },
};

/** An error of node:fs that the person can mend, in plain words; null for any other. */
export function explainSystemError(error: unknown): SystemErrorText | null {
  if (!(error instanceof Error) || !('code' in error) || !('path' in error)) return null;
  const reason = reasons[String(error.code)];
  return reason === undefined
    ? null
    : { message: `Cannot use ${String(error.path)}: ${reason.why}`, hint: reason.hint };
}
