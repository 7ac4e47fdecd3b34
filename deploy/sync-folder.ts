import { open } from 'node:fs/promises';

/** Has what was renamed in a folder on the disk: without it a power cut may undo the rename. */
export async function syncFolder(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
